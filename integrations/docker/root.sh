#!/bin/bash
# Lays the root of the image: Debian's Python, what the service runs with, the service. No shell, no
# package manager, no compiler.
#
#     root.sh ROOT WHEEL
#
# Runs on Debian 12 with an up-to-date list of packages. PYTHON is a Python that has pip.
set -euo pipefail
root=$1 wheel=$2
pip() {
    PIP_ROOT_USER_ACTION=ignore "${PYTHON:-python3}" -m pip --python /usr/bin/python3.11 \
        --quiet --disable-pip-version-check "$@"
}
requirements=$(dirname "$0")/../../requirements/serve.txt
site=$root/usr/local/lib/python3.11/dist-packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Unpacked, not installed: the scripts of packages want a shell. These are Python and the libraries
# of those of its modules that are used.
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root \
    python3.11-minimal libpython3.11-minimal libpython3.11-stdlib \
    libc6 libgcc-s1 zlib1g libexpat1 libssl3 libffi8 libsqlite3-0 libuuid1 liblzma5 libbz2-1.0 \
    ca-certificates netbase)
mkdir -p "$root"
for package in "$work"/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
rm -rf "$root"/usr/share/{doc,lintian,man,bug,binfmts,applications,pixmaps} "$root"/usr/sbin \
    "$root"/usr/lib/*-linux-gnu/gconv

mkdir -p "$root"/{tmp,proc,sys,dev,etc/edgeauth,usr/lib/ssl,var/lib/edgeauth,run/edgeauth}
# Where Debian's OpenSSL looks; by package it is a link that another package makes.
cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/usr/lib/ssl/cert.pem"
echo 'edgeauth:x:65532:65532::/:/none' >"$root/etc/passwd"
echo 'edgeauth:x:65532:' >"$root/etc/group"

# By its hash, as it was tested; no package's code runs to install it.
pip install --require-hashes --only-binary :all: --no-compile --target "$site" --requirement "$requirements"
rm -rf "$site/bin"
pip install --no-deps --no-index --no-compile --target "$site" "$wheel"
rm -rf "$site/bin"
mkdir -p "$root/usr/local/bin"
cat >"$root/usr/local/bin/edgeauth" <<'END'
#!/usr/bin/python3.11 -I
from edgeauth.ops.cli import main

main()
END
chmod 755 "$root/usr/local/bin/edgeauth"

# The root is read-only, so nothing is compiled later. The hash stands for the time of a file, which
# an image does not keep.
/usr/bin/python3.11 -m compileall -q --invalidation-mode unchecked-hash -j 0 \
    -s "$root" "$root/usr/lib/python3.11" "$site"
chmod 1777 "$root/tmp"
chown 65532:65532 "$root"/{run,var/lib}/edgeauth
chmod 750 "$root"/{run,var/lib}/edgeauth

#!/usr/bin/env bash
# Builds the image of integrations/docker/Dockerfile without a registry, into EDGE_TOOLS or
# ~/.cache/edgeauth/tools: image/oci is the image, image/bundle what a container runtime starts.
# What is there and was made of the same files stays.
#
# The root is laid here by root.sh, as the Dockerfile's first stage does; buildah takes it in the
# place of that stage and does what the Dockerfile says of the image. Needs Debian 12, root,
# buildah and umoci. PYTHON is a Python that has pip and hatchling.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$(realpath --no-symlinks "${PYTHON:-.venv/bin/python}")
tools=${EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/edgeauth/tools}
home=$tools/image

made_of=$(git ls-files -z --cached --others --exclude-standard -- \
    edgeauth integrations/docker requirements/serve.txt pyproject.toml tools/build-image.sh |
    sort -z | xargs -0 sha256sum | sha256sum)
if [[ $(cat "$home/made-of" 2>/dev/null) == "$made_of" ]]; then
    exit 0
fi

for command in buildah umoci; do
    command -v "$command" >/dev/null 2>&1 || {
        echo "tools/build-image.sh: $command is missing: apt-get install $command" >&2
        exit 1
    }
done
if [[ $EUID != 0 ]]; then
    echo "tools/build-image.sh: the files of the root belong to others: run it as root" >&2
    exit 1
fi

rm -rf "$home"
mkdir -p "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/context"

"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$work/wheel" .
PYTHON=$python integrations/docker/root.sh "$work/build/image" "$work"/wheel/*.whl

storage=(--storage-driver vfs --root "$work/storage" --runroot "$work/run")
buildah "${storage[@]}" --log-level error build --quiet --build-context build="$work/build" --timestamp 0 \
    --file integrations/docker/Dockerfile --tag edgeauth "$work/context" >"$work/id"
buildah "${storage[@]}" push --quiet "$(cat "$work/id")" "oci:$home/oci:edgeauth"
umoci unpack --image "$home/oci:edgeauth" "$home/bundle"
echo "$made_of" >"$home/made-of"

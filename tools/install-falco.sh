#!/usr/bin/env bash
# Installs falco, the simulator of Fastly VCL, at one version beside the other simulators, unless
# FALCO names one or one is on the PATH. Needs Go. Exit codes:
#   1  it could not be installed
#   3  the Go module proxy of this place refuses to hand it out; .ci/run excuses nothing else
set -euo pipefail

module=github.com/ysugimoto/falco/v2
# After v2.3.0: no version up to there has the /v2 in its module path, so Go knows none of them.
version=c95b6fa2d1a7bbe7c8b2047855ed57d1e9a8b767
tools=${EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/edgeauth/tools}
home=$tools/falco

say() {
    echo "tools/install-falco.sh: $1" >&2
}

refused() {
    say "THE GO MODULE PROXY REFUSES FALCO: the VCL is linted here, and not simulated."
    say "Put falco 2 on the PATH (brew install falco, or a release of ysugimoto/falco)."
    exit 3
}

if [[ -n ${FALCO:-} ]] || command -v falco >/dev/null 2>&1; then
    exit 0
fi
if [[ -x $home/bin/falco && $(cat "$home/version" 2>/dev/null) == "$version" ]]; then
    exit 0
fi
if [[ ${FALCO_REFUSED:-} == true ]]; then # as .ci/run has just found
    refused
fi
if ! command -v go >/dev/null 2>&1; then
    say "go is missing: install Go (go.dev), or put falco 2 on the PATH"
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Not go install, which takes no module that replaces one of its dependencies.
if ! timeout 60 go mod download -json "$module@$version" >said 2>&1; then
    cat said >&2
    if grep -q "403 Forbidden" said; then
        refused
    fi
    say "falco could not be downloaded, see above: put falco 2 on the PATH"
    exit 1
fi
cp -R "$(sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p' said)" falco
chmod -R u+w falco
(cd falco && go build -o "$home/bin/falco" ./cmd/falco)
echo "$version" >"$home/version"

#!/usr/bin/env bash
# Installs the simulators of the edge, and what looks at the site, each at one version, into a folder
# that outlives the checkout: EDGE_TOOLS, or ~/.cache/edgeauth/tools. What is there at that version
# stays. Viceroy is compiled: 10 to 20 minutes the first time.
#
# Needs cargo (rustup.rs) and Node.js 20 or later with npm. falco's simulator is installed by
# tools/install-falco.sh, for it cannot be had everywhere.
set -euo pipefail
cd "$(dirname "$0")/.."

viceroy=0.22.0
tools=${EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/edgeauth/tools}
mkdir -p "$tools"

need() { # COMMAND HOW
    command -v "$1" >/dev/null 2>&1 && return
    echo "tools/install-edge-tools.sh: $1 is missing: $2" >&2
    exit 1
}

need npm "install Node.js 20 or later"
need cargo "install Rust, see rustup.rs"

# The package-lock.json of a folder says what is in its node_modules.
node_packages() { # NAME FOLDER
    local home=$tools/$1
    if ! cmp -s "$2/package-lock.json" "$home/installed.json"; then
        rm -rf "$home"
        mkdir -p "$home"
        cp "$2/package.json" "$2/package-lock.json" "$home"
        # Not npm ci: it wants the optional packages of every platform in the lock file.
        (cd "$home" && npm install --silent --no-audit --no-fund)
        cp "$2/package-lock.json" "$home/installed.json"
    fi
}

node_packages falco-js tests/edge/falco-js
node_packages compute-js integrations/fastly/compute-js
node_packages workerd tests/edge/workerd
node_packages lambda-edge tests/edge/lambda-edge
# It looks at the pages of docs/ for people who cannot see them, or have no mouse.
node_packages axe tests/docs/axe

if [[ $("$tools/viceroy/bin/viceroy" --version 2>/dev/null) != "viceroy $viceroy" ]]; then
    cargo install --quiet --locked --version "$viceroy" --root "$tools/viceroy" viceroy
fi
echo "edge tools: $tools"

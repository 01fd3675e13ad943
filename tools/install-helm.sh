#!/usr/bin/env bash
# Installs Helm at one version beside the simulators of the edge, into EDGE_TOOLS or
# ~/.cache/edgeauth/tools. Needs Go; compiles for some minutes the first time.
set -euo pipefail

version=v4.3.1
home=${EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/edgeauth/tools}/helm
if [[ -x $home/bin/helm && $(cat "$home/version" 2>/dev/null) == "$version" ]]; then
    exit 0
fi
if ! command -v go >/dev/null 2>&1; then
    echo "tools/install-helm.sh: go is missing: install Go (go.dev)" >&2
    exit 1
fi
# What is written to the screen while modules are fetched is no news.
said=$(GOBIN=$home/bin go install "helm.sh/helm/v4/cmd/helm@$version" 2>&1) || {
    echo "$said" >&2
    exit 1
}
echo "$version" >"$home/version"

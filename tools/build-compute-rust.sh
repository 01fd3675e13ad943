#!/usr/bin/env bash
# Builds integrations/fastly/compute-rust, or the crate in $1, for the edge, and prints where the
# wasm is. Uses the target of rustup where it is installed, else Debian's compiler, which builds
# the standard library along:
#   apt-get install rustc-web cargo-web rust-web-src wasi-libc lld
set -euo pipefail
crate=$(cd "${1:-$(dirname "$0")/../integrations/fastly/compute-rust}" && pwd)
tools=${EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/edgeauth/tools}
target=wasm32-wasip1
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$crate/Cargo.toml" | head -n 1)
options=(--manifest-path "$crate/Cargo.toml" --release --target "$target" --quiet)

if [[ -d $(rustc --print target-libdir --target "$target" 2>/dev/null) ]]; then
    export CARGO_TARGET_DIR=$tools/compute-rust
    cargo build "${options[@]}"
elif [[ -d /usr/lib/rustlib/src/rust/library && -d /usr/lib/wasm32-wasi ]] && command -v wasm-ld >/dev/null; then
    export CARGO_TARGET_DIR=$tools/compute-rust-debian
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld
    export RUSTFLAGS="-C link-self-contained=no -L/usr/lib/wasm32-wasi -C link-arg=/usr/lib/wasm32-wasi/crt1-command.o"
    /usr/bin/cargo build "${options[@]}" -Zbuild-std=std,panic_abort
else
    echo "no Rust for $target: rustup target add $target, or on Debian apt-get install" \
        "rustc-web cargo-web rust-web-src wasi-libc lld" >&2
    exit 3
fi
echo "$CARGO_TARGET_DIR/$target/release/$name.wasm"

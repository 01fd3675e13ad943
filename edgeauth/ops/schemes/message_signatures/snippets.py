"""What makes an edge sign requests, by its name: files below ``integrations/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.schemes.message_signatures.arguments import COMPONENTS

if TYPE_CHECKING:
    from edgeauth.schemes.message_signatures import MessageSignatureScheme

SNIPPETS = {
    "vcl": "fastly/vcl/message_signatures.vcl",
    "compute-js": "fastly/compute-js/src/edgeauth-message-signatures.js",
    "compute-rust": "fastly/compute-rust/src/message_signatures.rs",
    "cloudflare": "cloudflare/src/edgeauth.mjs",
    "lambda-edge": "lambda-edge/src/edgeauth.mjs",
    "nginx-edge": "nginx-edge/nginx.conf",
    "nginx-edge-js": "nginx-edge/edgeauth.js",
    # What the others in JavaScript import.
    "message-signatures": "javascript/message-signatures.mjs",
}


def parameters(scheme: MessageSignatureScheme) -> dict[str, str]:
    """What of the settings of *scheme* an edge must know, as its file writes it."""
    quoted = [f'"{name}"' for name in COMPONENTS]
    found = {
        "scheme": f'"{scheme.scheme}"',
        "components": ", ".join(scheme.components or quoted),
    }
    return found if scheme.tag is None else {**found, "tag": f'"{scheme.tag}"'}

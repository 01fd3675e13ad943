"""What makes Akamai's edge sign: a file below ``integrations/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme

SNIPPETS = {"akamai": "akamai/g2oheader.tf"}


def parameters(scheme: AkamaiG2OScheme) -> dict[str, str]:
    """What of the settings of *scheme* the property must know, as its file writes it."""
    string = scheme.sign_string
    names = () if string is None or callable(string) else string
    quoted = ", ".join(f'"{name}"' for name in names)
    return {
        "data": f'"{scheme.data_header}"',
        "sign": f'"{scheme.sign_header}"',
        "version": f"g2o_version = {max(scheme.versions)}",
        "string": f"g2o_string  = [{quoted}]",
    }

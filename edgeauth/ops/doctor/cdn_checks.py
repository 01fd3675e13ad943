"""Finds settings that are not what the CDN of the settings sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.ops.doctor.finding import Finding
from edgeauth.settings import CDNS

if TYPE_CHECKING:
    from edgeauth.settings import Settings


def check_cdn(settings: Settings) -> list[Finding]:
    """Whether the scheme and the address list fit the setting ``cdn``; nothing without one."""
    found = []
    named = [one for one in settings.schemes if one.cdn is not None]
    for one in named:
        cdn = CDNS[one.cdn or ""]
        if one.kind not in {cdn.kind, *cdn.able}:
            found.append(
                Finding(
                    "cdn-other-scheme",
                    "warning",
                    f"cdn is {one.cdn}, and the scheme {one.kind} is none that it can send",
                    f"Leave scheme out: it is {cdn.kind} then. Or name the CDN that is in front.",
                )
            )
    names = {one.cdn for one in named}
    if names and settings.addresses in CDNS and settings.addresses not in names:
        found.append(
            Finding(
                "cdn-other-addresses",
                "error",
                f"cdn is {' and '.join(sorted(map(str, names)))}, and addresses is the list of "
                f"{settings.addresses}: every request is refused",
                "Name a file with the list of the CDN that is in front: edgeauth addresses update.",
            )
        )
    return found

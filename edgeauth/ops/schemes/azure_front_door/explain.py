"""Says why a Front Door id is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import VerificationError
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.part import shortened

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.azure_front_door import FrontDoorScheme


def explain(scheme: FrontDoorScheme, lines: RequestLines, now: float) -> Diagnosis:
    """The id, and what is wrong with it; that the address decides as well."""
    (header,) = scheme.headers
    values = lines.header(header)
    if not values:
        text = (
            f"No {header}: Front Door writes it on every request to an origin, and its health "
            "probes have it too. So this did not come through Front Door, or a proxy in front of "
            "the application took the field away."
        )
        return Diagnosis((), (Finding("id-missing", text),))
    seen = shortened(values[0])
    try:
        identity = scheme.verify(lines, now=now)
    except VerificationError as error:
        fields = (Field("id", seen, ok=False, note=error.message),)
        return Diagnosis(fields, (_why(header, values[0], error),))
    text = (
        "The id is no secret. What makes it count is the address of the connection, which is not "
        "looked at here: edgeauth addresses check."
    )
    fields = (Field("id", seen, ok=True, note=f"the profile {identity.key_id}"),)
    return Diagnosis(fields, (Finding("id-is-no-secret", text),))


def _why(header: str, value: bytes, error: VerificationError) -> Finding:
    if b"," in value:
        text = (
            f"{header} is there twice: the client sent one and the proxy in front of the "
            "application put a second beside it. Let that proxy hand on the one it received."
        )
        return Finding("id-twice", text)
    if value[:1] in b"\"'" or value.startswith(b"/subscriptions/"):
        text = (
            f"{header} holds something else than the bare id: the 36 characters that the portal "
            "calls 'Front Door ID', without quotes, and not the resource's path."
        )
        return Finding("id-form", text)
    if error.hint is None:
        text = f"{header} must hold 36 characters of hex and dashes, as Front Door writes them."
        return Finding("id-form", text)
    return Finding("id-other", f"{error.hint[0].upper()}{error.hint[1:]}.")

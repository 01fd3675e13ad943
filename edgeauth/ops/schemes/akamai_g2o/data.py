"""What is wrong with the form of the data header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.explain_timestamp import explain_timestamp
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.text import escaped
from edgeauth.schemes.akamai_g2o.arguments import FIELD, KEY_ID, TIME

if TYPE_CHECKING:
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme

NAMES = ("version", "edge", "client", "time", "unique id", "nonce")
_COUNT = len(NAMES)
_MOST_BYTES = 1024
_FORMS = dict(zip(NAMES, (rb"[1-5]", FIELD, FIELD, TIME, FIELD, KEY_ID), strict=True))
_FORM = "<version>, <edge>, <client>, <unix time>, <unique id>, <nonce>"


def wrong_form(scheme: AkamaiG2OScheme, data: bytes, now: float) -> list[Finding]:
    """Why *data* is no data header. It is none."""
    header = scheme.data_header
    if len(data) > _MOST_BYTES:
        text = f"{header} has {len(data)} bytes; a right one has about a hundred."
        return [Finding("data-too-long", text)]
    parts = data.split(b", ")
    if len(parts) == 2 * _COUNT or (len(parts) == 2 * _COUNT - 1 and b"," in parts[_COUNT - 1]):
        return [
            Finding(
                "data-twice",
                f"{header} was there twice, and a proxy or a server joined the two: a client sends "
                "its own, or the property sets the header in two places. The edge must remove "
                "what clients send.",
            )
        ]
    if len(parts) != _COUNT:
        if data.count(b",") == _COUNT - 1:
            return [
                Finding(
                    "data-separator",
                    f"The fields of {header} must stand behind a comma and one space. Something "
                    "on the way rewrote the value, which makes the signature wrong as well.",
                )
            ]
        return [
            Finding(
                "data-fields",
                f"{header} has {len(parts)} fields, and must have {_COUNT}: {_FORM}. Is it the "
                "data header, and did it come whole?",
            )
        ]
    found = []
    for name, part in zip(NAMES, parts, strict=True):
        if re.fullmatch(_FORMS[name], part):
            continue
        if name == "time":
            _, findings = explain_timestamp(part, scheme, now)
            found += [one._replace(text=f"{header}: {one.text}") for one in findings]
        else:
            found.append(Finding(f"data-{name.replace(' ', '-')}", _WRONG[name] % escaped(part)))
    return found


_WRONG = {
    "version": "The version is %s: write encoding version 5 into the property (1 to 5 exist).",
    "edge": "The address of the edge is %s: something on the way rewrote the data header.",
    "client": "The address of the client is %s: something on the way rewrote the data header.",
    "unique id": "The unique id is %s: something on the way rewrote the data header.",
    "nonce": (
        "The nonce of the property is %s, and it is the id of a key here: it must be 1 to 64 "
        "letters, digits, dots, dashes or underscores. Give it another at both ends."
    ),
}


def fields_of(groups: tuple[bytes, ...]) -> list[Field]:
    """Version, edge and client, as they are shown."""
    version, edge, client, *_ = groups
    return [
        Field("version", escaped(version), ok=True, note=""),
        Field("edge", shortened(edge), ok=True, note="the address that the edge sent from"),
        Field("client", shortened(client), ok=True, note="the address of its client"),
    ]

"""What is wrong with the POP of an ``Edge-Auth`` value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.part import Part, shortened
from edgeauth.schemes.edge_auth.grammar import POP

if TYPE_CHECKING:
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

_POP = re.compile(POP)


def explain_pop(raw: bytes | None, scheme: EdgeAuthScheme) -> Part:
    """The POP *raw*, held against those of *scheme*; None for a value of two fields."""
    if raw is None:
        return _no_pop(scheme)
    seen = shortened(raw)
    if not _POP.fullmatch(raw):
        return Field("POP", seen, ok=False, note="no POP code"), [_pop_form(raw)]
    pop = raw.decode()
    if scheme.pops is None:
        return Field("POP", seen, ok=True, note="any is accepted"), []
    if pop in scheme.pops:
        return Field("POP", seen, ok=True, note="on the list"), []
    if pop.lower() in {code.lower() for code in scheme.pops}:
        finding = Finding(
            "pop-case", f"POP {pop} differs from an entry of pops in upper and lower case only."
        )
    else:
        listed = ", ".join(sorted(scheme.pops))
        finding = Finding("pop-not-listed", f"POP {pop} is not one of pops, which are {listed}.")
    return Field("POP", seen, ok=False, note="not on the list"), [finding]


def _no_pop(scheme: EdgeAuthScheme) -> Part:
    if scheme.require_pop:
        finding = Finding(
            "no-pop",
            "The value names no POP, as from Compute JavaScript, and require_pop is on. "
            "Let the edge send one, or set EDGEAUTH_REQUIRE_POP=false.",
        )
    elif scheme.pops is not None:
        finding = Finding(
            "no-pop", "The value names no POP, so it is on no list: take pops out of the settings."
        )
    else:
        return Field("POP", "", ok=True, note="none, which require_pop=false admits"), []
    return Field("POP", "", ok=False, note="none"), [finding]


def _pop_form(raw: bytes) -> Finding:
    if raw in (b"", b"(null)"):
        return Finding(
            "pop-empty", "The POP is empty: the variable that the edge takes it from is not set."
        )
    if b"," in raw:
        return Finding(
            "fields", "There are more than three fields; expected <unix time>,<POP>,<signature>."
        )
    return Finding("pop-form", "A POP code has 1 to 16 letters, digits or dashes.")

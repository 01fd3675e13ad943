"""The form of the signed header ``Edge-Auth: <unix time>,<POP>,<HMAC-SHA256>``.

::

    value      = timestamp "," [ pop "," ] [ SP ] signature
    timestamp  = %x31-39 0*11DIGIT
    pop        = 1*16( ALPHA / DIGIT / "-" )
    signature  = "0x" 64LHEX / 64LHEX / 43BASE64 "="
    signed     = the received bytes before the last comma

Nothing in the header names the request: for up to ``max_age`` seconds whoever sees a
value can send any request with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, MalformedHeader

if TYPE_CHECKING:
    from collections.abc import Iterable

# Bytes patterns, so that a class means ASCII, and fullmatch, since "$" admits a trailing
# newline. Every repeat is bounded: a value of this form has at most 97 bytes, and a longer
# one is refused without being read to its end.
#
# The whole holds the signature to its length alone: only one that equals the expected one,
# byte for byte, is accepted, so looking at its alphabet first would be paid for on every
# request and decide nothing. The alphabet tells a wrong signature from what is none. The
# parts are also what explains a refused value to people.
TIMESTAMP = rb"[1-9][0-9]{0,11}"
POP = rb"[A-Za-z0-9-]{1,16}"
SIGNATURE = rb"[0-9a-f]{64}|[A-Za-z0-9+/]{43}="
WHOLE = re.compile(rb"((%b)(?:,(%b))?), ?(?:(?:0x)?(.{64})|(.{44}))" % (TIMESTAMP, POP), re.DOTALL)
ALPHABET = re.compile(SIGNATURE)
_POP = re.compile(POP.decode())
MAX_TIMESTAMP = 999_999_999_999


def malformed(value: bytes) -> MalformedHeader:
    """The error for a *value* that is not of the form."""
    if value.rstrip(b" ").endswith(b","):
        return MalformedHeader(
            "the signature is empty",
            hint="is the secret set at the edge? A missing dictionary entry signs nothing",
        )
    return MalformedHeader("the value is not of the form <unix time>,<POP>,<signature>")


def pop_codes(pops: Iterable[str]) -> tuple[str, ...]:
    """The codes of *pops*, held to their form.

    Raises:
        ConfigurationError: one is none, or there are none.
    """
    if isinstance(pops, (str, bytes)):
        raise ConfigurationError(f"pops must be a list of POP codes, not {pops!r}")
    codes = tuple(pop_code(pop) for pop in pops)
    if not codes:
        raise ConfigurationError("pops is an empty list: name a POP, or leave it out to accept any")
    return codes


def pop_code(pop: str) -> str:
    """*pop*, held to the form of a POP code.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(pop, str) or not _POP.fullmatch(pop):
        raise ConfigurationError(f"POP code {pop!r} must be 1 to 16 letters, digits or dashes")
    return pop

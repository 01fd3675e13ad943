"""What the scheme is told, looked at once; and the form of the data header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from edgeauth.schemes.akamai_g2o.sign_string import SignString
from edgeauth.schemes.base import field_name
from edgeauth.schemes.options import (
    Option,
    read_list,
    read_list_of,
    read_number,
    read_text,
    read_whole_number,
    window,
)

DATA_HEADER, SIGN_HEADER = "X-Akamai-G2O-Auth-Data", "X-Akamai-G2O-Auth-Sign"

# Version, address of the edge, address of its client, time, unique id, key id: six fields with a
# comma and one space between them. Akamai calls the last one the nonce; it never changes.
FIELD = rb"[!-+\--~]{1,64}"
TIME = rb"[1-9][0-9]{0,11}"
KEY_ID = rb"[A-Za-z0-9._-]{1,64}"
DATA = re.compile(rb"([1-5]), (%b), (%b), (%b), %b, (%b)" % (FIELD, FIELD, TIME, FIELD, KEY_ID))


def _check_versions(_name: str, value: Any) -> None:  # noqa: ANN401 - this is what finds out
    checked_versions(value)


def checked_versions(versions: Iterable[int]) -> tuple[int, ...]:
    """*versions*, if each is one.

    Raises:
        ConfigurationError: one is not, or there is none.
    """
    found = tuple(versions) if isinstance(versions, Iterable) else ()
    if not found or not all(type(one) is int and one in DIGESTS for one in found):
        raise ConfigurationError(
            f"versions is {versions!r}: write a list of some of 1 to 5, such as 5 alone"
        )
    return found


def _check_sign_string(_name: str, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        SignString(value)


def _check_name(_name: str, value: Any) -> None:  # noqa: ANN401
    field_name(value)


#: What there is to set.
OPTIONS = (
    Option(
        "versions",
        read_list_of(read_whole_number),
        (5,),
        "list of the ways to sign, 1 to 5, that are accepted",
        check=_check_versions,
    ),
    Option(
        "max_age", read_number("seconds"), 30, "seconds after the time, inclusive", check=window
    ),
    Option(
        "max_future",
        read_number("seconds"),
        30,
        "seconds before the time, inclusive",
        check=window,
    ),
    Option("data_header", read_text, DATA_HEADER, "the field of the data", check=_check_name),
    Option("sign_header", read_text, SIGN_HEADER, "the field of the signature", check=_check_name),
    Option(
        "sign_string",
        read_list,
        None,
        "list of what is signed, such as `AK_METHOD`, `AK_URL`; the target where it is left out",
        check=_check_sign_string,
    ),
)

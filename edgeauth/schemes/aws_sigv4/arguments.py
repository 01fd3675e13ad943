"""What the scheme is told, looked at once."""

from __future__ import annotations

import re
from typing import Any, Literal

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.options import Option, between, read_flag, read_number, read_text, window

#: The longest life of a presigned URL that AWS admits, in seconds: seven days.
WEEK = 604_800

_SCOPE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def checked_scope(name: str, value: Any) -> str:  # noqa: ANN401 - this is what finds out
    """*value* if it can be a region, or a service, of a scope.

    Raises:
        ConfigurationError: it cannot.
    """
    if value is None:
        raise ConfigurationError(
            f"{name} is not set: write what the edge signs for, such as us-east-1 (an edge that "
            "signs for Google Cloud Storage may say auto)"
        )
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise ConfigurationError(
            f"{name} {value!r} must be 1 to 64 letters, digits, dots, dashes or underscores, as "
            "the edge signs it"
        )
    return value


def checked_path_mode(value: Any) -> Literal["s3", "generic"]:  # noqa: ANN401
    """*value* if it is one.

    Raises:
        ConfigurationError: it is not.
    """
    if value == "s3":
        return "s3"
    if value == "generic":
        return "generic"
    raise ConfigurationError(
        f"path_mode {value!r} must be 's3' (the path as it is sent) or 'generic' (normalised and "
        "encoded again, as for services of AWS other than S3)"
    )


def checked_max_expires(value: Any) -> int:  # noqa: ANN401
    """*value* if it is whole seconds of up to a week.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WEEK:
        raise ConfigurationError(
            f"max_expires {value!r} must be 1 to {WEEK} whole seconds: AWS admits no longer life"
        )
    return value


def _read_seconds(label: str, value: object) -> float:
    found = read_number("seconds")(label, value)
    return int(found) if float(found).is_integer() else found


#: What there is to set.
OPTIONS = (
    Option(
        "region",
        read_text,
        None,
        "the region that the edge signs for; there is no default",
        check=checked_scope,
    ),
    Option("service", read_text, "s3", "the service that it signs for", check=checked_scope),
    Option(
        "max_skew",
        read_number("seconds"),
        900,
        "seconds before and after X-Amz-Date, inclusive",
        check=window,
    ),
    Option("presigned", read_flag, False, "true accepts presigned URLs too"),  # noqa: FBT003
    Option(
        "max_expires",
        _read_seconds,
        WEEK,
        "the longest life of a presigned URL, in seconds",
        check=between(1, WEEK, "seconds"),
    ),
    Option(
        "unsigned_payload",
        read_flag,
        False,  # noqa: FBT003
        "true accepts UNSIGNED-PAYLOAD: then nothing vouches for the body",
    ),
    Option(
        "path_mode",
        read_text,
        "s3",
        "s3, or generic: normalised and encoded again",
        check=lambda _name, value: checked_path_mode(value),
    ),
)

"""What verifier and signer are told, looked at once."""

from __future__ import annotations

import re
from collections.abc import Iterable  # noqa: TC003 - so that annotations can be read
from typing import Any, Literal

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.components import Component, component
from edgeauth.schemes.options import (
    Option,
    read_flag,
    read_list,
    read_number,
    read_one_of,
    read_text,
    window,
)

#: What an edge signs unless told otherwise, and what is required then.
COMPONENTS = ("@method", "@authority", "@path", "@query")

HMAC = "hmac-sha256"

_TAG = re.compile(r"[ -~]{1,128}")

# A component of a list with commas: a comma between quotes is its own.
_LISTED = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"|")+')


def required(names: Iterable[str]) -> list[Component]:
    """The components that *names* mean, each as in RFC 9421.

    Raises:
        ConfigurationError: one of them is none, or is there twice.
    """
    if isinstance(names, (str, bytes)):
        raise ConfigurationError(f"components must be a list, not {names!r}")
    found = [_component(name) for name in names]
    if len({part.identity for part in found}) < len(found):
        raise ConfigurationError("a component is required twice")
    return found


def checked_tag(tag: str) -> str:
    """*tag* if a signature can have it.

    Raises:
        ConfigurationError: it cannot.
    """
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise ConfigurationError(f"tag {tag!r} must be 1 to 128 printable ASCII characters")
    return tag


def checked_scheme(scheme: str) -> Literal["https", "http"]:
    """*scheme* if it is one.

    Raises:
        ConfigurationError: it is not.
    """
    if scheme == "https":
        return "https"
    if scheme == "http":
        return "http"
    raise ConfigurationError(f"scheme {scheme!r} must be 'https' or 'http': what the edge sees")


def quoted(text: str) -> bytes:
    """A string of printable ASCII as a structured field has it."""
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _component(name: str) -> Component:
    try:
        text = name.encode("ascii")
        item = grammar.item(text if text.startswith(b'"') else b'"' + text + b'"', "it")
        return component(item)
    except (AttributeError, UnicodeEncodeError, MalformedHeader) as error:
        why = f": {error}" if isinstance(error, MalformedHeader) else ""
        raise ConfigurationError(
            f"component {name!r} cannot be required{why}; write @method, a field name in lower "
            """case, or with parameters '"signature-agent";key="agent2"'"""
        ) from None


def _read_components(label: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [text.strip() for text in _LISTED.findall(value)]
    return read_list(label, value)


def _check_components(name: str, value: Any) -> None:  # noqa: ANN401 - this is what finds out
    if not required(value):
        raise ConfigurationError(
            f"{name} is empty: a signature of nothing would be accepted with any request; name "
            "what must be signed, or leave it out"
        )


def _check_tag(_name: str, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        checked_tag(value)


#: What there is to set.
OPTIONS = (
    Option(
        "components",
        _read_components,
        COMPONENTS,
        "list of what must be signed, as in RFC 9421",
        check=_check_components,
    ),
    Option("tag", read_text, None, "the tag of the signature that counts", check=_check_tag),
    Option("max_age", read_number("seconds"), 60, "seconds after created, inclusive", check=window),
    Option(
        "max_future",
        read_number("seconds"),
        5,
        "seconds before created, and after expires, inclusive",
        check=window,
    ),
    Option("require_nonce", read_flag, True, "false admits a signature without a nonce"),  # noqa: FBT003
    # Not "scheme": that setting is the kind.
    Option(
        "url_scheme", read_one_of("https", "http"), "https", "that of the URL, as the edge sees it"
    ),
)

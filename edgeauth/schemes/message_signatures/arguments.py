"""What verifier and signer are told, looked at once."""

from __future__ import annotations

import re
from collections.abc import Iterable  # noqa: TC003 - so that annotations can be read
from typing import Literal

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.keys import Key, KeyRing
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.components import Component, component

#: What an edge signs unless told otherwise, and what is required then.
COMPONENTS = ("@method", "@authority", "@path", "@query")

HMAC = "hmac-sha256"

_TAG = re.compile(r"[ -~]{1,128}")


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
        item = grammar.item(text if text.startswith(b'"') else b'"' + text + b'"', "")
        return component(item)
    except (AttributeError, UnicodeEncodeError, MalformedHeader) as error:
        why = f": {error}" if isinstance(error, MalformedHeader) else ""
        raise ConfigurationError(
            f"component {name!r} cannot be required{why}; write @method, a field name in lower "
            """case, or with parameters '"signature-agent";key="agent2"'"""
        ) from None


def checked_keys(
    keys: KeyRing | Iterable[Key | PublicKey | str | bytes],
) -> tuple[Key | PublicKey, ...]:
    """*keys*, if each has an id of its own.

    Raises:
        ConfigurationError: two have the same, or there is none, or one is no key.
    """
    if isinstance(keys, (str, bytes, Key, PublicKey)):
        raise ConfigurationError("give a list of keys, oldest to newest, not a single one")
    found = tuple(
        key if isinstance(key, (Key, PublicKey)) else Key(f"key-{place}", key)
        for place, key in enumerate(keys, 1)
    )
    secret = [key for key in found if isinstance(key, Key)]
    if secret or not found:
        KeyRing(secret)
    if len({key.id for key in found}) < len(found):
        raise ConfigurationError("two keys have the same id: give each key its own")
    return found

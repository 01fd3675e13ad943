"""What settings are made into, beside schemes: the address list, what verifies passes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.keys import MAX_SECRET_FILE_BYTES, Key, bare_secret
from edgeauth.named_key import NamedKey
from edgeauth.settings.cdns import CDNS
from edgeauth.text_files import read_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from edgeauth.addresses import AddressList
    from edgeauth.keys import KeyRing
    from edgeauth.passes import Passes


def build_addresses(source: str | None) -> AddressList | None:
    """The address list: the bundled one of a CDN, the one of a file, or none.

    Raises:
        ConfigurationError: the file cannot be used, or no list of that CDN is bundled.
    """
    if source is None:
        return None
    # Here, as with passes: a command that only signs should not pay for it. A guard has
    # imported both before its first request.
    from edgeauth.addresses import AddressList  # noqa: PLC0415

    return AddressList.bundled(source) if source in CDNS else AddressList.from_file(source)


def build_passes(
    secret: str | None, secret_file: str | None, revoked: Iterable[str], revoked_file: str | None
) -> Passes | None:
    """What verifies passes, or None where none is accepted.

    Args:
        secret: what signs them, or None.
        secret_file: a file that holds it instead, or None.
        revoked: ids of passes that are no longer accepted.
        revoked_file: a file of more of them, or None.

    Raises:
        ConfigurationError: the secret cannot be used; a file cannot be used; or passes are
            revoked and there is no secret.
    """
    name = "pass_secret"
    if secret_file is not None:
        if secret is not None:
            raise ConfigurationError("both pass_secret and pass_secret_file are set: keep one")
        name = "pass_secret_file"
        secret = read_bare_secret(secret_file, name)
    if secret is None:
        for setting, value in (("revoked_passes", revoked), ("revoked_passes_file", revoked_file)):
            if value:
                raise ConfigurationError(f"{setting} is set, and pass_secret is not")
        return None
    from edgeauth.passes import Passes, read_revoked  # noqa: PLC0415

    in_file = () if revoked_file is None else read_revoked(revoked_file)
    passes = Passes(secret, revoked=(*revoked, *in_file))
    refuse_guessable(name, passes.secret)
    return passes


def read_bare_secret(path: str | os.PathLike[str], name: str) -> str:
    """The secret in a file that holds one and nothing else; *name* is that of the setting.

    Raises:
        ConfigurationError: unreadable, empty, too long, not UTF-8, or several lines.
    """
    where = f"{name} {str(path)!r}"
    return bare_secret(read_bytes(path, where, MAX_SECRET_FILE_BYTES + 1), where)


def refuse_guessable(what: str, secret: bytes) -> None:
    """Refuse a secret that is published, or that a computer finds at once.

    Raises:
        ConfigurationError: it is. The message has *what*, and nothing of the secret.
    """
    # Here: whoever only verifies a value, or signs one, should not pay for the words.
    from edgeauth.settings.guessable import why_guessable  # noqa: PLC0415

    why = why_guessable(secret)
    if why is not None:
        raise ConfigurationError(
            f"{what} is no secret: {why}; make another one for both sides (edgeauth keygen)"
        )


def refuse_known_keys(keys: KeyRing) -> None:
    """Refuse keys with which whoever has read a manual, or guesses, can sign.

    Raises:
        ConfigurationError: there is one.
    """
    for key in keys:
        if isinstance(key, Key):
            refuse_guessable(f"the secret of key {key.id!r}", key.secret)
        else:
            refuse_published_pair(f"the public key {key.id!r}", key.der)


def refuse_published_pair(what: str, der: bytes) -> None:
    """Refuse a public key (in DER) whose private key is published.

    Raises:
        ConfigurationError: it is. The message has *what*.
    """
    from edgeauth.settings.guessable import why_published  # noqa: PLC0415 - as above

    why = why_published(der)
    if why is not None:
        raise ConfigurationError(
            f"{what} is of a pair that everybody has: {why}; make another one "
            "(edgeauth keygen --type ed25519)"
        )


def refuse_one_secret_for_both(keys: Iterable[Any], passes: Passes) -> None:
    """Refuse a secret that signs passes and is a secret of the edge.

    Args:
        keys: those of a scheme, or of each scheme; None of one that needs none.
        passes: what verifies passes.

    Raises:
        ConfigurationError: it does.
    """
    every = chain.from_iterable((one,) if isinstance(one, NamedKey) else one or () for one in keys)
    if passes.secret in {key.material for key in every}:
        raise ConfigurationError(
            "pass_secret is also a secret of the edge: make another one (edgeauth keygen)"
        )

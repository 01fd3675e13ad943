"""Updates the file from the key set that an issuer publishes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.address_update.fetch import fetch
from edgeauth.ops.atomic_write import replace_file
from edgeauth.ops.text import escaped
from edgeauth.schemes.signed_token.algorithms import ALGORITHMS, HS256, Algorithm
from edgeauth.schemes.signed_token.jwks import document_of, public_keys, read_jwks

if TYPE_CHECKING:
    from pathlib import Path

    from edgeauth.ops.http_get import Limits
    from edgeauth.public_keys import PublicKey

Keys = dict[str, "PublicKey"]


@dataclass(frozen=True, slots=True)
class Update:
    """An update that was carried out: the kids of the keys.

    Attributes:
        removed: those that are no longer believed.
        added: the new ones.
        kids: all, as the file has them.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    kids: tuple[str, ...]


def update(
    path: Path,
    url: str,
    *,
    algorithm: str | None = None,
    force: bool = False,
    limits: Limits | None = None,
) -> Update:
    """Fetch the key set at *url* and write it to *path*; on any error the file stays unchanged.

    A file that has these keys already is not written.

    Args:
        path: the file; it need not exist.
        url: where the issuer publishes its set.
        algorithm: what its tokens are signed with; None is any that is checked with a public key.
        force: take a set that has none of the keys that were there, or another key under a known
            kid, and replace a file that cannot be used.
        limits: how long to wait.

    Raises:
        ListRefused: the set could not be had or is not to be believed.
        ConfigurationError: the file, the URL or the algorithm cannot be used.
    """
    if algorithm == HS256:
        raise ConfigurationError(
            f"algorithm {HS256} is checked with a secret, and a key set has public keys alone: set "
            "the algorithm that the issuer signs with, or write the secret into secrets_file"
        )
    old = _old(path, algorithm, force=force)
    answer = fetch(url, limits=limits)
    where = f"what {escaped(url)} sent"
    try:
        document = document_of(answer.text or "", where)
        new = _keys(document, algorithm)
    except ConfigurationError as error:
        raise ListRefused(escaped(f"{where} cannot be used: {error}")) from None
    if old and not force:
        _check_plausible(new, old)
    done = Update(
        tuple(kid for kid in old if kid not in new),
        tuple(kid for kid in new if kid not in old),
        tuple(new),
    )
    if {kid: key.der for kid, key in old.items()} != {kid: key.der for kid, key in new.items()}:
        # Issuers publish their keys in other forms beside these, which nobody here reads.
        _write(path, {"source": url, "keys": document["keys"]})
    return done


def _old(path: Path, algorithm: str | None, *, force: bool) -> Keys:
    if not path.exists():
        return {}
    try:
        return _keys(read_jwks("the key set", str(path)), algorithm)
    except ConfigurationError as error:
        if force:
            return {}
        raise ConfigurationError(f"{error}; --force replaces it") from None


def _keys(document: dict[str, Any], algorithm: str | None) -> Keys:
    """The keys that count, by kid.

    Raises:
        ConfigurationError: there is none, or one of them cannot be used.
    """
    if algorithm is not None:
        return public_keys(document, Algorithm(algorithm))
    found: Keys = {}
    problems = []
    for name in ALGORITHMS:
        if name != HS256:
            try:
                found |= public_keys(document, Algorithm(name))
            except ConfigurationError as error:
                problems.append(error)
    if not found:
        # That there is no key of one kind says less than that one is wrong.
        raise max(problems, key=lambda error: "has no key for" not in str(error))
    return found


def _check_plausible(new: Keys, old: Keys) -> None:
    """Refuse a set that is more likely somebody else's than the next one of this issuer.

    Raises:
        ListRefused: the message says why.
    """
    kept = [kid for kid in old if kid in new]
    if not kept:
        raise ListRefused(
            f"the set has none of the keys that were there ({escaped(', '.join(old))}): an issuer "
            "that changes its keys publishes the old one beside the new one for a while. If it is "
            "the right set, --force takes it"
        )
    for kid in kept:
        if new[kid].der != old[kid].der:
            raise ListRefused(
                f"the set has another key under the kid {escaped(kid)}: issuers give a new key a "
                "new kid. If it is the right set, --force takes it"
            )


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        replace_file(path, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise ConfigurationError(
            f"key set {str(path)!r} cannot be written: {explain(error)}; it is as it was"
        ) from None

"""Which kinds of scheme there are: ours by name, and those of other packages by entry point.

A package adds a kind with one line of its own ``pyproject.toml``::

    [project.entry-points."edgeauth.schemes"]
    toy = "toy_scheme:ToyScheme"

A kind is imported when it is first used.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.options import Option

GROUP = "edgeauth.schemes"

# The kind where no setting names another.
DEFAULT_KIND = "edge-auth"

_BUILT_IN = {
    "edge-auth": ("edgeauth.schemes.edge_auth", "EdgeAuthScheme"),
    "shared-secret": ("edgeauth.schemes.shared_secret", "SharedSecretScheme"),
    "akamai-g2o": ("edgeauth.schemes.akamai_g2o", "AkamaiG2OScheme"),
    "message-signatures": ("edgeauth.schemes.message_signatures", "MessageSignatureScheme"),
    "aws-sigv4": ("edgeauth.schemes.aws_sigv4", "AwsSigV4Scheme"),
    "signed-token": ("edgeauth.schemes.signed_token", "SignedTokenScheme"),
    "azure-shared-key": ("edgeauth.schemes.azure_shared_key", "AzureSharedKeyScheme"),
    "alibaba-oss": ("edgeauth.schemes.alibaba_oss", "AlibabaOssScheme"),
    "azure-front-door": ("edgeauth.schemes.azure_front_door", "FrontDoorScheme"),
    "client-certificate": ("edgeauth.schemes.client_certificate", "ClientCertificateScheme"),
}

# Of several schemes at once, which settings write as [[schemes]].
ANY_OF = "any-of"

# It goes to logs, metrics and files of decisions.
_KIND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MOST = 32


def kinds() -> tuple[str, ...]:
    """The kinds that a setting can name: ours, then those of other packages by name."""
    return (*_BUILT_IN, *sorted(_entry_points()))


def built_in_kinds() -> tuple[str, ...]:
    """The kinds that come with this package."""
    return tuple(_BUILT_IN)


def scheme_class(kind: object, label: str = "scheme") -> Any:  # noqa: ANN401 - see _check_class
    """The class of a kind, with ``OPTIONS`` and ``from_options``; imported if it was not yet.

    Args:
        kind: what a user named.
        label: the name of the setting, as the user wrote it.

    Raises:
        ConfigurationError: there is no such kind, or its class cannot be used.
    """
    if isinstance(kind, str) and kind in _BUILT_IN:
        module, name = _BUILT_IN[kind]
        return getattr(import_module(module), name)
    if kind == ANY_OF:
        raise ConfigurationError(
            f"{label} is {ANY_OF!r}: to accept any of several schemes, write each as a table "
            "[[schemes]] (in a mapping: schemes, a list of mappings)"
        )
    try:
        return _of_other_package(str(kind))
    except KeyError:
        raise _unknown(kind, label) from None


def _entry_points() -> dict[str, tuple[Any, ...]]:
    """The entry points of other packages, by kind."""
    # Here, since few have one, and the import is slow.
    from importlib.metadata import entry_points  # noqa: PLC0415

    found: dict[str, tuple[Any, ...]] = {}
    for entry in entry_points(group=GROUP):
        # No package takes the place of one of ours.
        if entry.name not in _BUILT_IN and entry.name != ANY_OF:
            found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


# The class stays what it was, since keys that change make a new scheme while requests wait.
@cache
def _of_other_package(kind: str) -> Any:  # noqa: ANN401 - of which nothing is known yet
    entry, *others = _entry_points()[kind]
    where = f"the scheme {kind!r} ({entry.value})"
    if any(other.value != entry.value for other in others):
        values = " and ".join(sorted({one.value for one in (entry, *others)}))
        raise ConfigurationError(
            f"the scheme {kind!r} is that of two packages, {values}: remove one of them"
        )
    if not _KIND.fullmatch(kind) or len(kind) > _MOST:
        raise ConfigurationError(
            f"{where} has no usable name: write up to {_MOST} small letters, digits and dashes"
        )
    try:
        found = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    _check_class(found, kind, where)
    return found


def _check_class(found: Any, kind: str, where: str) -> None:  # noqa: ANN401
    """Refuse a class that settings could not make a scheme with.

    Raises:
        ConfigurationError: it lacks what :class:`edgeauth.schemes.base.Configurable` has.
    """
    if getattr(found, "kind", None) != kind:
        raise ConfigurationError(f"{where}: its kind must be {kind!r}, as its entry point is named")
    if not callable(getattr(found, "from_options", None)):
        raise ConfigurationError(f"{where} has no from_options(keys, options)")
    options = getattr(found, "OPTIONS", None)
    if not isinstance(options, tuple) or not all(isinstance(one, Option) for one in options):
        raise ConfigurationError(f"{where}: its OPTIONS must be a tuple of edgeauth.Option")


def _unknown(kind: object, label: str) -> ConfigurationError:
    # Here, since only a mistake needs it.
    import difflib  # noqa: PLC0415

    known = kinds()
    near = difflib.get_close_matches(str(kind), known, n=1)
    expected = " or ".join(map(repr, near or known))
    return ConfigurationError(f"{label} is {kind!r}; write {expected}")

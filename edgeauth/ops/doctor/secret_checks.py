"""Finds secrets that cannot be used, can be guessed, or can be read by others."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.key_files import key_names
from edgeauth.keys import Key
from edgeauth.ops.doctor.finding import Finding
from edgeauth.settings import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edgeauth.keys import KeyRing
    from edgeauth.settings import Settings

# Placeholders. With a secret that is nothing else, the app does not start.
_EXAMPLES = (
    *(b"changeme", b"change-me", b"change_me", b"replace-me", b"example", b"placeholder"),
    *(b"your-secret", b"your_secret", b"secret-here", b"password"),
)
_FEW_BYTES = 8
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

_NEW = "Put a new one on both sides: edgeauth keygen."


def check_secrets(settings: Settings, config: str | os.PathLike[str] | None) -> list[Finding]:
    """Findings about the edge's secrets, that of passes, and the permissions of their files."""
    found: list[Finding] = []
    rings: list[KeyRing] = []
    for scheme in settings.schemes:
        try:
            keys = scheme.build_keys()
            rings += () if keys is None else (keys,)
        except ConfigurationError as error:
            found.append(_unusable("secret-unusable", error))
    try:
        # Without those that cannot be used, which are reported already.
        settings.build_passes(rings)
    except ConfigurationError as error:
        found.append(_unusable("pass-secret-unusable", error))
    secrets = [key for keys in rings for key in keys if isinstance(key, Key)]
    found += [finding for key in secrets for finding in _check_secret(key)]
    return [*found, *_permissions(settings, config)]


def _unusable(name: str, error: ConfigurationError) -> Finding:
    advice = "The app does not start with it. edgeauth keygen makes a secret."
    return Finding(name, "error", str(error), advice)


def _check_secret(key: Key) -> Iterator[Finding]:
    which = f"the secret of key {key.id}"
    secret = key.secret
    if secret[:1] in {b'"', b"'"} and secret[:1] == secret[-1:]:
        yield Finding(
            "secret-quotes",
            "warning",
            f"{which} has quotes around it, and they are part of it",
            "An env file or a unit that keeps quotes is the usual cause. Remove them here, "
            "unless the edge has them too.",
        )
    if any(example in secret.lower() for example in _EXAMPLES):
        yield Finding("secret-example", "error", f"{which} is one of an example", _NEW)
    elif len(set(secret)) < _FEW_BYTES:
        few = f"{which} has only {len(set(secret))} different characters"
        yield Finding("secret-guessable", "error", few, _NEW)


def _of_public_keys(settings: Settings) -> Iterator[Path]:
    """The files of keys in which none is secret: who reads them learns nothing."""
    for scheme in settings.schemes:
        with contextlib.suppress(ConfigurationError):  # reported above
            if scheme.named_secrets and not scheme.read_keys().newest_first:
                named = () if scheme.secrets_file is None else (Path(scheme.secrets_file),)
                folder = scheme.secrets_dir
                in_folder = () if folder is None else (Path(folder, k) for k in key_names(folder))
                yield from (*named, *in_folder)


def _files(settings: Settings, config: str | os.PathLike[str] | None) -> Iterator[Path]:
    """The files that hold a secret."""
    named = [scheme.secrets_file for scheme in settings.schemes]
    for name in (*named, settings.pass_secret_file):
        if name is not None:
            yield Path(name)
    for folder in _folders(settings):
        with contextlib.suppress(ConfigurationError):  # reported above
            for name in key_names(folder):
                yield Path(folder, name)
    if config is not None and _holds_secret(read_toml(config)):
        yield Path(config)


def _folders(settings: Settings) -> list[str]:
    return [scheme.secrets_dir for scheme in settings.schemes if scheme.secrets_dir is not None]


def _holds_secret(document: Mapping[str, Any]) -> bool:
    tables = [document, *document.get("schemes", ())]
    return any({"secret", "pass_secret"} & table.keys() for table in tables)


def _permissions(settings: Settings, config: str | os.PathLike[str] | None) -> Iterator[Finding]:
    public = list(_of_public_keys(settings))
    # What an option names says whom to believe, as keys do.
    named = [Path(path) for scheme in settings.schemes for path in scheme.files.values()]
    for file in (*public, *named):
        if _mode(file, stat.S_ISREG) & stat.S_IWOTH:
            yield _open(
                f"{str(file)!a} has the keys that are believed, and every user of the machine may "
                "write it",
                f"chmod 644 {str(file)!a}, owned by who puts the keys there.",
            )
    for file in _files(settings, config):
        if file in public:
            continue
        if _mode(file, stat.S_ISREG) & (stat.S_IROTH | stat.S_IWOTH):
            yield _open(
                f"{str(file)!a} holds a secret, and every user of the machine may read or write it",
                f"chmod 600 {str(file)!a}, owned by the user that the app runs as. (Kubernetes: "
                "defaultMode: 0440, and the fsGroup that the app runs as.)",
            )
    for folder in _folders(settings):
        if _mode(Path(folder), stat.S_ISDIR) & stat.S_IWOTH:
            yield _open(
                f"every file in {folder!a} is a key, and every user of the machine may put one "
                "there",
                f"chmod 750 {folder!a}, owned by who puts the keys there.",
            )
    revoked = settings.revoked_passes_file
    if revoked is not None and _mode(Path(revoked), stat.S_ISREG) & stat.S_IWOTH:
        yield _open(
            f"{revoked!a} has the revoked passes, and every user of the machine may write it",
            f"chmod 644 {revoked!a}, owned by who revokes passes.",
        )


def _mode(path: Path, is_kind: Callable[[int], bool]) -> int:
    """The permissions of *path*; 0 if it is of another kind, or cannot be examined.

    Nobody writes where it is mounted read-only: the kubelet makes the folder of a secret 1777.
    """
    try:
        mode = path.stat().st_mode
        read_only = hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY
    except (OSError, ValueError):
        return 0  # reported above
    if read_only:
        mode &= ~_WRITE
    return stat.S_IMODE(mode) if is_kind(mode) else 0


def _open(seen: str, advice: str) -> Finding:
    return Finding("file-open-to-others", "warning", seen, advice)

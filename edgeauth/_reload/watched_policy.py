"""Keys, addresses, passes and other files that change while the application runs.

The files that the settings name are looked at from the request path, at most once in
``watch_interval`` seconds: nothing runs between requests, to be lost in a fork or to be stopped.
A look is a ``stat`` of each file; only one that changed is read
(:mod:`edgeauth._reload.watched_file`). A clock that is set back or forward is a reason to look at
once; set back by less than ``watch_interval``, it can put one look off by as much.

What cannot be used is refused with one line in the log that says why, and what was read
before stays in force: nobody is shut out by a broken file. Passes are the exception.
Without them the edge still gets in, and a file that was emptied may have been meant to revoke
them, so none is accepted then. What is refused is tried again when the file changes, and once
a minute.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from edgeauth._reload.watched_file import Fingerprint, WatchedFiles, can_be_watched
from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError
from edgeauth.key_files import key_names
from edgeauth.passes import NoPasses, Passes
from edgeauth.policy import FixedPolicy, Policy
from edgeauth.settings import CDNS, refuse_one_secret_for_both

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeauth.keys import KeyRing
    from edgeauth.policy import PolicySource
    from edgeauth.settings import SchemeSettings, Settings

    _Any = TypeVar("_Any")
    _T = TypeVar("_T", KeyRing, AddressList, Passes)
    _Watched = WatchedFiles[_T, Policy]


def policy_source(settings: Settings, *, told_as: str = "in force") -> PolicySource:
    """What *settings* decide by: watched, where they name a file that can be watched.

    Args:
        settings: their files are read now.
        told_as: what the log calls that which was read anew; what is found need not be in force
            at once where others decide by it.

    Raises:
        ConfigurationError: the settings cannot be used.
    """
    watched = WatchedPolicy(settings, told_as=told_as)
    if watched.active:
        return watched
    return FixedPolicy(replace(watched.policy, since=-math.inf, until=math.inf))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A policy, and of each part the fingerprint of the files that it was read from.

    None stands for files that had not stood still, and are to be read once more. Keys are those
    of each scheme, by its place; files those that its options name.
    """

    policy: Policy
    keys: tuple[Fingerprint | None, ...]
    files: Mapping[tuple[int, str], Fingerprint | None] = field(default_factory=dict)
    addresses: Fingerprint | None = None
    passes: Fingerprint | None = None


class WatchedPolicy:
    """Keeps a :class:`Policy` up to date with the files that settings name.

    It needs no lock: what it knows is replaced as a whole, with the fingerprints of what it was
    read from. So of two threads that look at once either leaves something whole behind, and
    whatever is out of date is seen at the next look.

    Args:
        settings: of the guard; their files are read now.
        told_as: as of :func:`policy_source`.

    Attributes:
        active: True if any file is watched. Pipes are read once.
        policy: what :meth:`current` gave last.

    Raises:
        ConfigurationError: the settings cannot be used.
    """

    def __init__(self, settings: Settings, *, told_as: str = "in force") -> None:
        self._interval = settings.watch_interval
        self._settings = settings
        self._keys = [
            _watched_keys(scheme, settings.watch_interval, partial(self._read_keys, place))
            for place, scheme in enumerate(settings.schemes)
        ]
        self._options = {
            (place, name): _watched_option(
                scheme, name, settings.watch_interval, partial(self._read_option, place, name)
            )
            for place, scheme in enumerate(settings.schemes)
            for name, path in scheme.files.items()
            if can_be_watched(path)
        }
        self._addresses = _watched_addresses(settings)
        self._passes = _watched_passes(settings, self._read_passes)
        files = (*self._keys, *self._options.values(), self._addresses, self._passes)
        self._files = [watched for watched in files if watched is not None]
        for watched in self._files:
            watched.told_as = told_as
        self.active = bool(self._files)
        keys = tuple(scheme.build_keys() for scheme in settings.schemes)
        read = tuple(scheme.read_files() for scheme in settings.schemes)
        policy = Policy(
            settings.build_scheme(keys, read),
            settings.build_addresses(),
            settings.build_passes(keys),
            keys,
            read,
        )
        self._seen = _Seen(policy, (None,) * len(keys))
        self.policy = self._good_from(policy, time.time())

    def current(self, now: float) -> Policy:
        """What to decide by at *now* (Unix seconds); looks at the files if that is due.

        Never raises: what goes wrong is logged, and what was in force stays.
        """
        # A clock that was set back is a reason to look, and so is one that was set forward.
        if not self.policy.since <= now < self.policy.until:
            before = self._seen
            found = self._look(before)
            if found is not before:
                self._seen = found
            # Another thread may have found more meanwhile.
            last = None
            while last is not self._seen:
                last = self._seen
                self.policy = self._good_from(last.policy, now)
        return self.policy

    def _good_from(self, policy: Policy, now: float) -> Policy:
        wait = min((watched.wait for watched in self._files), default=self._interval)
        return replace(policy, since=now, until=now + wait)

    def _look(self, seen: _Seen) -> _Seen:
        for place, watched in enumerate(self._keys):
            if watched is not None:
                seen = self._look_at_keys(seen, place, watched)
        for (place, name), option in self._options.items():
            seen = self._look_at_option(seen, place, name, option)
        policy = seen.policy
        if self._addresses is not None and policy.addresses is not None:
            listed = self._addresses.look(policy, policy.addresses, seen.addresses)
            if listed is not None:
                policy = replace(policy, addresses=listed.value)
                seen = replace(seen, policy=policy, addresses=listed.seen)
        if self._passes is not None and policy.passes is not None:
            passes = self._passes.look(policy, policy.passes, seen.passes)
            if passes is not None:
                policy = replace(policy, passes=passes.value)
                seen = replace(seen, policy=policy, passes=passes.seen)
        return seen

    def _look_at_keys(self, seen: _Seen, place: int, watched: _Watched[KeyRing]) -> _Seen:
        # One without keys of settings has no file of them to be watched.
        policy, rings = seen.policy, seen.policy.keys
        found = watched.look(policy, cast("KeyRing", rings[place]), seen.keys[place])
        if found is None:
            return seen
        # The scheme remembers what it accepted: a new one for new keys alone.
        if found.value is not rings[place]:
            rings = _with(rings, place, found.value)
            scheme = self._settings.build_scheme(rings, policy.files)
            policy = replace(policy, scheme=scheme, keys=rings)
        return replace(seen, policy=policy, keys=_with(seen.keys, place, found.seen))

    def _look_at_option(self, seen: _Seen, place: int, name: str, watched: _Watched[Any]) -> _Seen:
        policy, current = seen.policy, seen.policy.files[place][name]
        found = watched.look(policy, current, seen.files.get((place, name)))
        if found is None:
            return seen
        if found.value is not current:
            files = _with(policy.files, place, {**policy.files[place], name: found.value})
            scheme = self._settings.build_scheme(policy.keys, files)
            policy = replace(policy, scheme=scheme, files=files)
        return replace(seen, policy=policy, files={**seen.files, (place, name): found.seen})

    def _read_option(self, place: int, name: str, policy: Policy) -> Any:  # noqa: ANN401
        scheme = self._settings.schemes[place]
        read = scheme.file_of(name).read(name, scheme.files[name])
        # That it can be used is for the scheme to say.
        scheme.build_scheme(policy.keys[place], {**policy.files[place], name: read})
        return read

    def _read_keys(self, place: int, policy: Policy) -> KeyRing:
        keys = cast("KeyRing", self._settings.schemes[place].build_keys())
        _refuse_cut_off(cast("KeyRing", policy.keys[place]), keys)
        if policy.passes is not None:
            refuse_one_secret_for_both(keys, policy.passes)
        return keys

    def _read_passes(self, policy: Policy) -> Passes:
        # The keys in force, so that a broken file of keys does not stop passes.
        return self._settings.build_passes(policy.keys) or NoPasses()


def _with(values: tuple[_Any, ...], place: int, value: _Any) -> tuple[_Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def _watched_keys(
    scheme: SchemeSettings, interval: float, read: Callable[[Policy], KeyRing]
) -> _Watched[KeyRing] | None:
    def describe(keys: KeyRing) -> str:
        return f"the keys {', '.join(key.id for key in keys)}"

    if scheme.secrets_file is not None and can_be_watched(scheme.secrets_file):
        path = Path(scheme.secrets_file)
        name, paths = "secrets_file", lambda: [path]
    elif scheme.secrets_dir is not None:
        path = Path(scheme.secrets_dir)
        name, paths = "secrets_dir", lambda: [path / key for key in key_names(path)]
    else:
        return None
    return WatchedFiles(
        f"{name} {str(path)!r}",
        interval=interval,
        paths=paths,
        read=read,
        depends=lambda policy: (policy.keys, policy.passes),
        describe=describe,
        content=lambda keys: [
            (key.id, key.material, key.not_before, key.not_after) for key in keys
        ],
    )


def _watched_option(
    scheme: SchemeSettings, name: str, interval: float, read: Callable[[Policy], Any]
) -> _Watched[Any]:
    path = Path(scheme.files[name])
    return WatchedFiles(
        f"{name} {str(path)!r}",
        interval=interval,
        paths=lambda: [path],
        read=read,
        depends=lambda policy: (policy.keys, policy.files),
        describe=scheme.file_of(name).describe,
        content=lambda value: value,
    )


def _watched_addresses(settings: Settings) -> _Watched[AddressList] | None:
    source = settings.addresses
    if source is None or source in CDNS or not can_be_watched(source):
        return None
    path = Path(source)
    return WatchedFiles(
        f"addresses {str(path)!r}",
        interval=settings.watch_interval,
        paths=lambda: [path],
        read=lambda _policy: AddressList.from_file(path, now=time.time()),
        describe=lambda value: f"the {len(value)} networks as of {value.as_of}",
        content=lambda value: (value.spans, value.as_of, value.retiring),
        ends=lambda value: value.next_retirement,
    )


def _watched_passes(
    settings: Settings, read: Callable[[Policy], Passes]
) -> _Watched[Passes] | None:
    named = [
        (name, path)
        for name in ("pass_secret_file", "revoked_passes_file")
        if (path := getattr(settings, name)) is not None
    ]

    def describe(passes: Passes) -> str:
        if isinstance(passes, NoPasses):
            return "no pass is accepted"
        return f"the pass secret, {len(passes.revoked)} ids revoked"

    # They are read together, so one that can be read but once is not read again for the other.
    if not named or not all(can_be_watched(path) for _, path in named):
        return None
    return WatchedFiles(
        ", ".join(f"{name} {str(path)!r}" for name, path in named),
        interval=settings.watch_interval,
        paths=lambda: [Path(path) for _, path in named],
        read=read,
        depends=lambda policy: (policy.keys,),
        describe=describe,
        content=lambda passes: (passes.secret, passes.revoked),
        otherwise=NoPasses(),
    )


def _refuse_cut_off(current: KeyRing, keys: KeyRing) -> None:
    """Refuse keys that look like the ones in force, but written down in part.

    Raises:
        ConfigurationError: a secret is the beginning of what it was.
    """
    before = {key.id: key.material for key in current}
    for key in keys:
        was = before.get(key.id, key.material)
        if was != key.material and was.startswith(key.material):
            raise ConfigurationError(
                f"the secret of key {key.id} is cut off: is the file still being written? "
                "A new secret needs a new id"
            )

"""The last step of a decision: a credential that admits one request admits no second one.

A store remembers what was admitted. It is asked about what is authentic alone, so nobody without
a key can fill it.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - so that annotations can be read
from typing import Literal, NamedTuple, Protocol, TypeVar, final

from edgeauth.errors import (
    ConfigurationError,
    EdgeAuthError,
    Replayed,
    StoreUnavailable,
    VerificationError,
)
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.base import Scheme, may_admit_once
from edgeauth.verdict import EdgeIdentity, Once

ONCE = frozenset({"once"})

_new_tuple = tuple.__new__

_Answer = TypeVar("_Answer")

# Sets of a few fixed words: who signs cannot make many.
_SETS = 256
_WITH_ONCE: dict[frozenset[str], frozenset[str]] = {}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ReplayStoreError(EdgeAuthError):
    """A replay store cannot tell whether it has seen a key, so the key is not admitted.

    The message says what is wrong and what to do. It holds no key and no password.
    """


class ReplayStore(Protocol):
    """Remembers what was admitted until its time is over. Safe to share between threads.

    One that has ``start()`` as well is told when the application starts, and may refuse with a
    ConfigurationError what cannot work.

    Attributes:
        waits: whether ``remember`` may block the thread, and ``aremember`` give way to others
            meanwhile. Where it is False, both answer at once.
    """

    waits: bool

    def remember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        """Whether *key* was not seen before; from now on it was.

        Whatever fails, of all that ask one store with one key at most one gets True, and who
        asks again by the same name.

        Args:
            key: what is admitted once. Of any length; long ones are hashed.
            until: Unix seconds up to which the credential can be used, that second included.
            now: the present, in Unix seconds.
            since: Unix seconds before which nobody can have been admitted with this credential:
                when it was signed, less what clocks may differ by. A store that lost its memory
                refuses what is older than the loss, and by this it knows what is. None: the store
                goes by the longest life that it has seen a credential have.
            by: names the question that is asked about the key: for a second after an admission
                the same question is answered alike, since a proxy whose question was not answered
                asks again. Empty for one that nobody repeats. No client may choose it.

        Returns:
            True: not seen before, or by the same question. False: seen, or so old that the store
            may have forgotten it.

        Raises:
            ReplayStoreError: the store cannot tell. Whether it remembers *key* is not known.
            ValueError, OverflowError: *until* is not a finite number.
        """

    async def aremember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        """As :meth:`remember`; other tasks run while it waits."""

    def close(self) -> None:
        """Close files and connections. The next call opens them again."""


@final
class Held(NamedTuple):
    """A request that is let in if its credential was not used before.

    Attributes:
        request: the request.
        identity: who sent it, with ``once``.
        now: Unix seconds at which it is judged.
    """

    request: Request
    identity: EdgeIdentity
    now: float


class Admission:
    """Asks a store about each credential that admits one request.

    Args:
        scheme: what is asked for the credentials.
        store: what remembers; None for nothing.
        methods: ``all``, or ``unsafe`` for all but GET, HEAD, OPTIONS and TRACE; what opens a
            WebSocket, or has a part of that, is not safe.
        failure: what becomes of a request that the store cannot tell about: ``refuse`` or
            ``accept``.

    Attributes:
        waits: whether the store may block.
        accepts_failure: whether *failure* is ``accept``.
        terms: what an inner gate is held against; None where nothing is remembered.

    Raises:
        ConfigurationError: an argument cannot be used, or no credential of *scheme* ever says
            that it is good once.
    """

    def __init__(
        self,
        scheme: Scheme,
        store: ReplayStore | None = None,
        methods: Literal["all", "unsafe"] = "all",
        failure: Literal["refuse", "accept"] = "refuse",
    ) -> None:
        _refuse_another_word("replay_methods", methods, "all", "unsafe")
        _refuse_another_word("replay_failure", failure, "refuse", "accept")
        self._asks = store is not None
        if store is not None:
            _refuse_useless(store, scheme)
            self._remember, self._aremember = store.remember, store.aremember
        self._start: Callable[[], object] | None = getattr(store, "start", None)
        self._unsafe_only = methods == "unsafe"
        self.waits = store is not None and bool(store.waits)
        self.accepts_failure = failure == "accept"
        # By identity, as the guard does with schemes.
        self.terms = None if store is None else (id(store), methods, failure)

    def start(self) -> None:
        """Let the store look whether it can work, if it knows how.

        Raises:
            ConfigurationError: it cannot.
        """
        if self._start is not None:
            self._start()

    def concerns(self, request: Request, identity: EdgeIdentity) -> bool:
        """Whether the store is to be asked about *request*, whose *identity* has ``once``.

        Raises:
            TypeError: it is no identity, or its ``once`` no :class:`Once`.
        """
        if not isinstance(identity, EdgeIdentity) or not isinstance(identity.once, Once):
            raise TypeError("the scheme returned no EdgeIdentity, or one with no Once")
        return self._asks and not (
            self._unsafe_only and request.method in _SAFE and request.handshake is False
        )

    def ask(self, request: Request, identity: EdgeIdentity, now: float) -> VerificationError | None:
        """Why the store does not admit *request*; None if it does. Never raises.

        Args:
            request: one that it :meth:`concerns`.
            identity: who sent it, with ``once``.
            now: Unix seconds at which it is judged.
        """
        try:
            answer = _asked(self._remember, request, identity, now)
        except Exception as error:  # noqa: BLE001 - a gate fails closed
            return _unavailable(identity, now, error)
        return None if answer is True else _not_admitted(identity, now, answer)

    async def aask(
        self, request: Request, identity: EdgeIdentity, now: float
    ) -> VerificationError | None:
        """As :meth:`ask`; other tasks run while the store waits."""
        try:
            answer = await _asked(self._aremember, request, identity, now)
        except Exception as error:  # noqa: BLE001 - a gate fails closed
            return _unavailable(identity, now, error)
        return None if answer is True else _not_admitted(identity, now, answer)


def _asked(
    remember: Callable[..., _Answer], request: Request, identity: EdgeIdentity, now: float
) -> _Answer:
    key, until, since = identity.once  # type: ignore[misc]
    name = getattr(request, "question", b"")
    # Most questions have no name, and a store of somebody else may know of none.
    if name:
        return remember(key, until, now=now, since=since, by=name)
    return remember(key, until, now=now, since=since)


def _refuse_another_word(name: str, value: str, *words: str) -> None:
    if value not in words:
        raise ConfigurationError(f"{name} {value!r} must be {' or '.join(map(repr, words))}")


def _refuse_useless(store: ReplayStore, scheme: Scheme) -> None:
    for name in ("remember", "aremember"):
        if not callable(getattr(store, name, None)):
            raise ConfigurationError(
                f"replay must be a ReplayStore or None: {type(store).__name__} has no {name}()"
            )
    if not may_admit_once(scheme):
        kind = getattr(scheme, "kind", type(scheme).__name__)
        raise ConfigurationError(
            f"replay is set, and a credential of the scheme {kind!r} does not say which request it "
            "is of, so it cannot be admitted once: leave replay out, or take a scheme that can "
            "(message-signatures; a class of your own says once = True)"
        )


def with_once(identity: EdgeIdentity) -> EdgeIdentity:
    """*identity*, admitted by a store."""
    covers = identity.covers
    # Few sets there are, and a look-up costs a third of what making another one does.
    more = _WITH_ONCE.get(covers)
    if more is None:
        more = covers | ONCE
        if len(_WITH_ONCE) < _SETS:
            _WITH_ONCE[covers] = more
    timestamp, pop, key_id, kind, _, once, body, claims = identity
    # A fifth of the cost of _replace, on every request that a store is asked about.
    whole = (timestamp, pop, key_id, kind, more, once, body, claims)
    return _new_tuple(type(identity), whole)


def without_once(identity: EdgeIdentity) -> EdgeIdentity:
    """*identity*, about which no store was asked: it may be the second with its credential."""
    if identity.covers >= ONCE:
        return identity._replace(covers=identity.covers - ONCE)
    return identity


def _not_admitted(identity: EdgeIdentity, now: float, answer: object) -> VerificationError:
    if answer is not False:
        return _unavailable(identity, now, TypeError("the answer is neither True nor False"))
    return Replayed(
        "this credential was used before",
        hint="a copy of a request, or a retry that was not signed anew: does the edge, or a proxy "
        "behind it, send a request again?",
        identity=identity,
        age=identity.age(now),
    )


def _unavailable(identity: EdgeIdentity, now: float, error: Exception) -> StoreUnavailable:
    # The text of an error of somebody else may hold anything, such as a password in a URL.
    known = isinstance(error, ReplayStoreError)
    why = str(error) if known else f"the replay store failed with {type(error).__name__}"
    return StoreUnavailable(why, identity=identity, age=identity.age(now))

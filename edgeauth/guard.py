"""The decision: a tuple of steps, the scheme, once; and what is told of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from typing import Any, Literal

from edgeauth.addresses import AddressList
from edgeauth.admission import (
    Admission,
    Held,
    ReplayStore,
    with_once,
    without_once,
)
from edgeauth.errors import (
    ConfigurationError,
    MissingHeader,
    StoreUnavailable,
    VerificationError,
)
from edgeauth.exemptions import ExemptRoutes, MountPoints
from edgeauth.forwarded import TrustedProxies
from edgeauth.guard_facts import GuardFacts, GuardSettings
from edgeauth.observers import Observers  # noqa: TC001
from edgeauth.outer import Terms
from edgeauth.passes import Passes
from edgeauth.policy import FixedPolicy, Policy
from edgeauth.reasons import ERROR, OK
from edgeauth.request import Request  # noqa: TC001
from edgeauth.schemes.base import Scheme, refuse_no_scheme
from edgeauth.schemes.needs import behind, refuse_unmet
from edgeauth.steps import Step  # noqa: TC001
from edgeauth.verdict import EdgeIdentity, Verdict

# Stands for the identity of nobody: no scheme has it, so none can return it.
_NOBODY = object()

_new_tuple = tuple.__new__


class Guard(GuardFacts):
    """Decides about requests; one for the whole process, safe to share between threads.

    To make one opens no file and logs nothing; :meth:`start` does, and so does
    :meth:`from_settings`.

    Args:
        scheme: how a request proves where it came from.
        addresses: the networks a request must come from, or None to take any.
        trusted_proxies: CIDRs (and ``unix``) whose X-Forwarded-For is believed when
            addresses are checked, and whose word about a client's certificate is.
        exempt: ``METHOD /exact/path`` entries that need no credential. No patterns: any
            difference but the query means not exempt. Paths are as in the URL: with the mount
            point.
        mode: ``enforce``, or ``report-only`` to log what would be refused and let it pass.
        strip_header: whether adapters remove the credential before the application runs.
        decisions: a file that gets one line of JSON a decision, or None. See
            :mod:`edgeauth._record.decision_file`.
        passes: what verifies passes; None accepts none.
        addresses_stale_days: days after which an old address list is reported; None: 90.
        mount_points: where exemptions, and passes that are narrowed to paths, count: paths such
            as ``/app``, and ``/`` for the root. None at all: the root alone. A mount point that
            the application's own configuration names counts as well.
        observers: who is told of decisions; None: the log, and the file *decisions*.
        replay: what remembers the credentials that are good for one request; None remembers none,
            and then each is good until it is too old.
        replay_methods: of which requests it is asked: ``all``, or ``unsafe`` for all but GET,
            HEAD, OPTIONS and TRACE. What opens a WebSocket is unsafe.
        replay_failure: what becomes of a request while it does not answer: ``refuse``, or
            ``accept`` to let it in, though it may have been let in before.

    Raises:
        ConfigurationError: an argument cannot be used, or the scheme needs an address list or
            trusted proxies and there are none.
    """

    def __init__(
        self,
        scheme: Scheme,
        addresses: AddressList | None = None,
        trusted_proxies: Iterable[str] = (),
        exempt: Iterable[str] = (),
        mode: Literal["enforce", "report-only"] = "enforce",
        *,
        strip_header: bool = True,
        decisions: str | None = None,
        passes: Passes | None = None,
        addresses_stale_days: float | None = None,
        mount_points: Iterable[str] = (),
        observers: Observers | None = None,
        replay: ReplayStore | None = None,
        replay_methods: Literal["all", "unsafe"] = "all",
        replay_failure: Literal["refuse", "accept"] = "refuse",
    ) -> None:
        refuse_no_scheme(scheme)
        _refuse_other_than(AddressList, "addresses", "an AddressList", addresses)
        _refuse_other_than(Passes, "passes", "Passes", passes)
        if mode not in ("enforce", "report-only"):
            raise ConfigurationError(f"mode {mode!r} must be 'enforce' or 'report-only'")
        self._mode = mode
        self._strip_header = strip_header
        self._enforced = mode == "enforce"
        self._proxies = proxies = TrustedProxies(trusted_proxies)
        refuse_unmet(scheme, addresses, proxies)
        scheme = behind(scheme, proxies)
        self._mounts = MountPoints(mount_points)
        self._exempt = ExemptRoutes(exempt, self._mounts)
        if observers is None:
            # The one way up from here: what is told of decisions is not needed to understand them.
            from edgeauth.build import default_observers  # noqa: PLC0415

            observers = default_observers(mode, decisions, proxies, addresses_stale_days)
        self._observers = observers
        self._admission = Admission(scheme, replay, replay_methods, replay_failure)
        policy = Policy(scheme, addresses, passes)
        # By identity: what a scheme of somebody's goes by is not known.
        proof = (id(scheme), None if addresses is None else (id(addresses), id(proxies)))
        other_ways_in = (self._exempt.entries, self._mounts.paths, id(passes))
        self._exempt_paths = self._exempt.paths
        self._may_check_more = type(self) is not Guard
        self.follow(FixedPolicy(policy), Terms(proof, other_ways_in, self._admission.terms))
        self._last: tuple[object, Verdict] = (_NOBODY, Verdict(allowed=False, reason=ERROR.code))

    @classmethod
    def from_settings(cls, settings: GuardSettings | Mapping[str, Any] | None = None) -> Guard:
        """Build a guard from settings, a mapping of them, or (None) the environment; start it.

        The files that they name are watched (:mod:`edgeauth._reload.watched_policy`).

        Raises:
            ConfigurationError: a setting is unknown, unusable or missing.
        """
        from edgeauth.build import build_guard  # noqa: PLC0415 - the door to what is above

        return build_guard(cls, settings)

    @property
    def waits(self) -> bool:
        """Whether a decision may wait, so that who can await should take :meth:`acheck`."""
        return self._admission.waits or type(self).acheck is not Guard.acheck

    def check(self, request: Request, *, now: float | None = None) -> Verdict:
        """Decide about *request*, judged at *now* (Unix seconds; None: the present).

        Never raises. An unexpected failure, such as a bug in a user's own scheme, is a refusal
        with the reason ``error``; a failure to tell of a decision changes nothing about it.
        """
        decided = self._decide(request, now)
        if type(decided) is not Held:
            return decided
        return self._admitted(*decided, self._admission.ask(*decided))

    async def acheck(self, request: Request, *, now: float | None = None) -> Verdict:
        """As :meth:`check`; other tasks run while a replay store waits.

        A subclass that overrides :meth:`check` and not this one is asked by that.
        """
        if getattr(self.check, "__func__", None) is not Guard.check:
            return self.check(request, now=now)
        decided = self._decide(request, now)
        if type(decided) is not Held:
            return decided
        return self._admitted(*decided, await self._admission.aask(*decided))

    def _decide(self, request: Request, now: float | None) -> Verdict | Held:  # noqa: C901 - a frame more costs each request
        """All but what may wait: that has two ways of waiting."""
        moment = 0.0
        try:
            moment = time.time() if now is None else now
            policy = self._policy
            if self._expires and not policy.since <= moment < policy.until:
                policy = self._next_policy(moment)
            steps = (
                self._steps_at_exempt_paths
                if self._exempt_paths and request.path in self._exempt_paths
                else self._steps
            )
            if steps:  # cheaper than a loop over nothing
                decided = self._decide_by(steps, request, policy, moment)
                if decided is not None:
                    return decided
            identity = policy.scheme.verify(request, now=moment)
            last, verdict = self._last
            if last is not identity:
                once = getattr(identity, "once", None)
                if once is not None and self._admission.concerns(request, identity):
                    if self._admission.waits:
                        return Held(request, identity, moment)
                    error = self._admission.ask(request, identity, moment)
                    return self._admitted(request, identity, moment, error)
                verdict = self._accept(identity)
        except Exception as failure:  # noqa: BLE001 - a gate fails closed
            return self._refuse(request, failure, moment)
        if self._tells_all:
            self._observers.admitted(request, verdict, moment)
        elif (tell := self._tell_accepted) is not None:
            # As Observers.admitted, without the call: nearly every request comes by here.
            try:  # noqa: SIM105
                tell(verdict, moment)
            except Exception:  # noqa: BLE001, S110
                pass
        return verdict

    def _decide_by(
        self, steps: tuple[Step, ...], request: Request, policy: Policy, now: float
    ) -> Verdict | None:
        for step in steps:
            decided = step(request, policy, now)
            if decided is not None:
                verdict, evidence = decided
                if evidence is None:
                    self._observers.admitted(request, verdict, now)
                else:
                    self._observers.decided(request, verdict, evidence, now)
                return verdict
        return None

    def refuse(self, request: Request, error: VerificationError) -> Verdict:
        """Refuse *request*, which was let in, for what only its adapter or its endpoint could see.

        The body is another one than the credential vouches for, or the credential does not
        cover what an endpoint demands. Observers are told, as of any refusal.

        Returns:
            the verdict; allowed in report-only mode.
        """
        return self._refuse(request, error, time.time())

    def inherited(self, verdict: object, guard: object) -> Verdict | None:
        """*verdict*, if an outer gate with *guard* left it that decides as this one; or None.

        What an adapter finds where an outer gate leaves its verdict and its guard. A verdict of
        the same guard, or of one of equal settings, is this one's own. One that says that the
        edge signed is taken where the guard asks for the same proof, and one by an exemption or
        a pass where these are the same too; the mode, the file of decisions and the removal of
        the header may differ. What report-only let through opens no gate that enforces.
        """
        if not isinstance(verdict, Verdict) or not verdict.allowed or not isinstance(guard, Guard):
            return None
        if guard is self:
            return verdict
        # A subclass may check more.
        if type(self) is not Guard or type(guard) is not Guard:
            return None
        same = self._terms.accept(verdict, guard._terms)  # noqa: SLF001 - of this class
        return verdict if same and (verdict.enforced or not self._enforced) else None

    def recall(
        self,
        value: bytes,
        method: str,
        path: str,
        field: bytes | None = None,
        *,
        now: float | None = None,
    ) -> Verdict | None:
        """The verdict about a request with the credential *value*, if it is known already.

        What :meth:`check` would answer, found without a view of the request: a POP signs all
        requests of a second alike, so nearly every request bears a value that was accepted a
        moment ago. None says nothing, and :meth:`check` must be asked. So it is where more than
        the value decides (addresses, passes, an exempt route), where every decision is written
        down, for a scheme that does not remember, and for any subclass.

        Args:
            value: of the only field of :attr:`stripped_headers` that is there, as received.
            method: as :class:`Request` has it.
            path: as :class:`Request` has it; of a request with no mount point.
            field: the name of that field in lower case, which says of several schemes whose
                value it is; without it nothing is known where their fields differ.
            now: Unix seconds to judge at; None is the present.
        """
        try:
            moment = time.time() if now is None else now
            policy = self._policy
            if self._expires and not policy.since <= moment < policy.until:
                policy = self._next_policy(moment)
            recall = policy.recall or policy.recalls.get(field)  # type: ignore[arg-type]
            if (
                recall is None
                or not self._value_decides
                or (self._exempt_paths and (method, path) in self._exempt.entries)
            ):
                return None
            identity = recall(value, moment)
            if identity is None:
                return None
            last, verdict = self._last
            if last is not identity:
                if identity.once is not None:
                    return None
                verdict = self._accept(identity)
        except Exception:  # noqa: BLE001 - check says what is wrong
            return None
        if (tell := self._tell_accepted) is not None:
            try:  # noqa: SIM105 - as in check
                tell(verdict, moment)
            except Exception:  # noqa: BLE001, S110
                pass
        return verdict

    def _accept(self, identity: EdgeIdentity) -> Verdict:
        """The verdict about what *identity* sent, kept for the next request with it.

        A scheme that remembers values hands out one identity for all requests of a POP in a
        second, and one verdict serves them all.
        """
        if not isinstance(identity, EdgeIdentity):
            raise TypeError("the scheme returned no EdgeIdentity")
        if identity.once is not None:
            # No other request has it.
            return Verdict(allowed=True, reason=OK.code, identity=without_once(identity))
        verdict = Verdict(allowed=True, reason=OK.code, identity=identity)
        # Both in one tuple: no thread sees the verdict of another identity.
        self._last = identity, verdict
        return verdict

    def _admitted(
        self,
        request: Request,
        identity: EdgeIdentity,
        now: float,
        error: VerificationError | None,
    ) -> Verdict:
        """The verdict about what *identity* sent: a store admitted it, or refused with *error*."""
        if error is None:
            identity = with_once(identity)
        elif isinstance(error, StoreUnavailable) and self._admission.accepts_failure:
            identity = without_once(identity)
            self._observers.not_remembered(request, error, now)
        else:
            return self._refuse(request, error, now)
        # Half the cost of calling the class, on every request that a store is asked about.
        verdict = _new_tuple(Verdict, (True, OK.code, identity, True, None))
        if self._tells_all or self._tell_accepted is not None:
            self._observers.admitted(request, verdict, now)
        return verdict

    def _refuse(self, request: Request, error: Exception, now: float) -> Verdict:
        reason = ERROR.code
        if isinstance(error, VerificationError):
            # A user's own error may have a reason that is none, or fail to tell it.
            with contextlib.suppress(Exception):
                reason = error.reason if isinstance(error.reason, str) else reason
        verdict = Verdict(allowed=not self._enforced, reason=reason, enforced=self._enforced)
        if self._exempt_paths and isinstance(error, MissingHeader):
            with contextlib.suppress(Exception):
                self._exempt.explain(request, error)
        self._observers.decided(request, verdict, error, now)
        return verdict


def _refuse_other_than(kind: type, name: str, expected: str, value: object) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(f"{name} must be {expected} or None, not {type(value).__name__}")

"""The decision: exemption, pass, address, scheme, in that order."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from typing import Any, Literal

from edgeauth._record.decision_file import DecisionFile
from edgeauth._record.decision_log import DecisionLog
from edgeauth._record.list_age import StaleWarning
from edgeauth._record.logger import logger
from edgeauth._reload.watched import Basis, Watch
from edgeauth.addresses import AddressList
from edgeauth.errors import (
    AddressNotAllowed,
    ConfigurationError,
    MissingHeader,
    PassNotAccepted,
    VerificationError,
)
from edgeauth.exemptions import ExemptRoutes, MountPoints
from edgeauth.forwarded import TrustedProxies
from edgeauth.outer import Terms, terms_of
from edgeauth.passes import HEADER as PASS_HEADER
from edgeauth.passes import Passes
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes import EdgeAuthScheme, Scheme
from edgeauth.schemes.base import refuse_no_scheme
from edgeauth.settings import STALE_DAYS, Settings
from edgeauth.verdict import EdgeIdentity, Pass, Verdict

_EXEMPT = Verdict(allowed=True, reason="exempt")


class Guard:
    """Decides about requests; one for the whole process, safe to share between threads.

    Args:
        scheme: how a request proves where it came from.
        addresses: the networks a request must come from, or None to take any.
        trusted_proxies: CIDRs (and ``unix``) whose X-Forwarded-For is believed when
            addresses are checked.
        exempt: ``METHOD /exact/path`` entries that need no credential. No patterns: any
            difference but the query means not exempt. Paths are as in the URL: with the mount
            point.
        mode: ``enforce``, or ``report-only`` to log what would be refused and let it pass.
        strip_header: whether adapters remove the credential before the application runs.
        decisions: a file that gets one line of JSON a decision, or None. See
            :mod:`edgeauth._record.decision_file`.
        passes: what verifies passes; None accepts none.
        addresses_stale_days: the age in days from which the address list is told of as old.
        mount_points: where exemptions, and passes that are narrowed to paths, count: paths such
            as ``/app``, and ``/`` for the root. None at all: the root alone. A mount point that
            the application's own configuration names counts as well.

    Raises:
        ConfigurationError: an argument cannot be used.
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
        addresses_stale_days: float = STALE_DAYS,
        mount_points: Iterable[str] = (),
    ) -> None:
        refuse_no_scheme(scheme)
        if addresses is not None and not isinstance(addresses, AddressList):
            raise ConfigurationError(
                f"addresses must be an AddressList or None, not {type(addresses).__name__}"
            )
        if passes is not None and not isinstance(passes, Passes):
            raise ConfigurationError(f"passes must be Passes or None, not {type(passes).__name__}")
        if mode not in ("enforce", "report-only"):
            raise ConfigurationError(f"mode {mode!r} must be 'enforce' or 'report-only'")
        self._basis = Basis(scheme, addresses, passes)
        self._watch: Watch | None = None
        self._mode = mode
        self._strip_header = strip_header
        self._proxies = TrustedProxies(trusted_proxies)
        self._mounts = MountPoints(mount_points)
        self._exempt = ExemptRoutes(exempt, self._mounts)
        self._exempt_paths = self._exempt.paths
        self._terms = Terms(
            # By identity: what a scheme of somebody's goes by is not known.
            (id(scheme), None if addresses is None else (id(addresses), id(self._proxies))),
            (self._exempt.entries, self._mounts.paths, id(passes)),
        )
        self._enforced = mode == "enforce"
        self._last: tuple[EdgeIdentity | None, Verdict] = (None, _EXEMPT)
        self._log = DecisionLog(enforced=self._enforced)
        self._file = None if decisions is None else DecisionFile(decisions, self._proxies)
        # Of a subclass nobody knows what else it looks at.
        self._scheme_decides = (
            type(self) is Guard and addresses is None and passes is None and self._file is None
        )
        self._stale = StaleWarning(addresses_stale_days)
        if addresses is not None:
            self._stale.look(addresses)
        if not self._enforced:
            logger.warning(
                "report-only mode: every request is let through; "
                "set mode to 'enforce' when the log shows no refusal of a real visitor"
            )

    @classmethod
    def from_settings(cls, settings: Settings | Mapping[str, Any] | None = None) -> Guard:
        """Build a guard from settings, a mapping of them, or (None) the environment.

        Files of secrets, addresses and revoked passes that the settings name are watched: what
        changes in them comes into force by itself (:mod:`edgeauth._reload.watched`).

        Raises:
            ConfigurationError: a setting is unknown, unusable or missing.
        """
        if settings is None:
            settings = Settings.from_environ()
        elif not isinstance(settings, Settings):
            settings = Settings.from_mapping(settings)
        watch = Watch(settings)
        guard = cls(
            watch.basis.scheme,
            addresses=watch.basis.addresses,
            trusted_proxies=settings.trusted_proxies,
            exempt=settings.exempt,
            mode=settings.mode,
            strip_header=settings.strip_header,
            decisions=settings.decisions,
            passes=watch.basis.passes,
            addresses_stale_days=settings.addresses_stale_days,
            mount_points=settings.mount_points,
        )
        guard._terms = terms_of(settings)
        if watch.active:
            guard._basis, guard._watch = watch.basis, watch
        return guard

    @property
    def scheme(self) -> Scheme:
        """The scheme in force."""
        return self._basis.scheme

    @property
    def addresses(self) -> AddressList | None:
        """The address list in force, or None where addresses are not checked."""
        return self._basis.addresses

    @property
    def passes(self) -> Passes | None:
        """What verifies passes, or None where none is accepted."""
        return self._basis.passes

    @property
    def mode(self) -> Literal["enforce", "report-only"]:
        """Whether refusals are carried out; another mode is another guard."""
        return self._mode

    @property
    def strip_header(self) -> bool:
        """Whether adapters remove the credential before the application runs."""
        return self._strip_header

    @property
    def mount_points(self) -> tuple[str, ...]:
        """Where exempt paths, and paths of passes, count; sorted, ``/`` for the root."""
        return tuple(sorted(path or "/" for path in self._mounts.paths))

    @property
    def exempt(self) -> tuple[str, ...]:
        """The ``METHOD /exact/path`` entries that need no credential, sorted."""
        return tuple(sorted(f"{method} {path}" for method, path in self._exempt.entries))

    @property
    def stripped_headers(self) -> tuple[str, ...]:
        """The fields that an adapter must remove before the application runs."""
        if not self._strip_header:
            return ()
        return (*self.scheme.headers, *(() if self.passes is None else (PASS_HEADER,)))

    def check(self, request: Request, *, now: float | None = None) -> Verdict:
        """Decide about *request*, judged at *now* (Unix seconds; None: the present).

        Never raises. An unexpected failure, such as a bug in a user's own scheme, is a refusal
        with the reason ``error``; a failure to tell of a decision changes nothing about it.
        """
        moment, found = 0.0, None
        try:
            moment = time.time() if now is None else now
            watch = self._watch
            if watch is not None and not watch.looked <= moment < watch.due:
                self._look(watch, moment)
            basis = self._basis
            if (
                self._exempt_paths
                and request.path in self._exempt_paths
                and self._exempt.cover(request)
            ):
                verdict = _EXEMPT
            elif (
                basis.passes is not None
                and request.header(PASS_HEADER)
                and (found := self._accepted_pass(request, basis.passes, moment))
            ):
                verdict = Verdict(allowed=True, reason="pass", holder=found.holder)
            else:
                if basis.addresses is not None:
                    self._check_address(request, basis.addresses)
                identity = basis.scheme.verify(request, now=moment)
                if not isinstance(identity, EdgeIdentity):
                    raise TypeError("the scheme returned no EdgeIdentity")  # noqa: TRY301
                verdict = self._accepted(identity)
        except Exception as error:  # noqa: BLE001 - a gate fails closed
            return self._refuse(request, error, moment)
        if found is not None:
            _say(self._log.pass_accepted, request, found)
        if self._file is not None:
            _say(self._file.write, request, verdict, moment)
        return verdict

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
        # Of a subclass nobody knows what else it looks at.
        if type(self) is not Guard or type(guard) is not Guard:
            return None
        mine, its = self._terms, guard._terms  # noqa: SLF001 - it is of this class
        same = mine.proof == its.proof and (
            verdict.reason == "ok" or mine.other_ways_in == its.other_ways_in
        )
        return verdict if same and (verdict.enforced or not self._enforced) else None

    def recall(
        self, value: bytes, method: str, path: str, *, now: float | None = None
    ) -> Verdict | None:
        """The verdict about a request with the credential *value*, if it is known already.

        What :meth:`check` would answer, found without a view of the request: a POP signs all
        requests of a second alike, so nearly every request bears a value that was accepted a
        moment ago. None says nothing, and :meth:`check` must be asked. So it is where more than
        the value decides (addresses, passes, an exempt route), where every decision is written
        down, and for any other scheme and any subclass.

        Args:
            value: of the only field of :attr:`stripped_headers` that is there, as received.
            method: as :class:`Request` has it.
            path: as :class:`Request` has it; of a request with no mount point.
            now: Unix seconds to judge at; None is the present.
        """
        try:
            moment = time.time() if now is None else now
            watch = self._watch
            if watch is not None and not watch.looked <= moment < watch.due:
                self._look(watch, moment)
            scheme = self._basis.scheme
            if (
                not self._scheme_decides
                or type(scheme) is not EdgeAuthScheme
                or (self._exempt_paths and (method, path) in self._exempt.entries)
            ):
                return None
            identity = scheme.recall(value, moment)
        except Exception:  # noqa: BLE001 - check says what is wrong
            return None
        if identity is None:
            return None
        last, verdict = self._last
        return verdict if last is identity else self._accepted(identity)

    def _accepted(self, identity: EdgeIdentity) -> Verdict:
        # A scheme that remembers values hands out one identity for all requests of a POP in
        # a second, and one verdict serves them all. Both in one tuple: no thread sees the
        # verdict of another identity.
        last, verdict = self._last
        if last is not identity:
            verdict = Verdict(allowed=True, reason="ok", identity=identity)
            self._last = identity, verdict
        return verdict

    def _accepted_pass(self, request: Request, passes: Passes, now: float) -> Pass | None:
        """The pass of *request*; None if it is judged as one without.

        A visitor may send any header through the edge, so a pass that is not accepted must
        not stop a request that is signed.
        """
        try:
            return passes.verify(request, now=now, mounts=self._mounts)
        except PassNotAccepted as error:
            _say(self._log.pass_not_accepted, request, error, now)
            return None

    def _look(self, watch: Watch, now: float) -> None:
        before = self._basis
        basis = watch.look(before)
        # Another thread may have looked meanwhile and found more.
        if basis is not before:
            self._basis = basis
        if basis.addresses is not None:
            _say(self._stale.look, basis.addresses, now)
        watch.rest(now)

    def _check_address(self, request: Request, addresses: AddressList) -> None:
        address = self._proxies.client_address(request)
        if address not in addresses:
            raise AddressNotAllowed(f"{address!a} is not on the address list")

    def _refuse(self, request: Request, error: Exception, now: float) -> Verdict:
        reason = "error"
        if isinstance(error, VerificationError):
            # A user's own error may have a reason that is none, or fail to tell it.
            with contextlib.suppress(Exception):
                reason = error.reason if isinstance(error.reason, str) else reason
        verdict = Verdict(allowed=not self._enforced, reason=reason, enforced=self._enforced)
        if self._exempt_paths and isinstance(error, MissingHeader):
            _say(self._exempt.explain, request, error)
        _say(self._log.refusal, reason, request, error, now)
        if self._file is not None:
            _say(self._file.write, request, verdict, now, error)
        return verdict


def _say(tell: Callable[..., object], *what: object) -> None:
    """Tell somebody; that this fails changes no decision."""
    with contextlib.suppress(Exception):
        tell(*what)

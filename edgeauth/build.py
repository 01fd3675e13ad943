"""Makes guards of settings: the door from the decision to what stands above it.

It may import the settings, what is watched and what is told of decisions. :class:`Guard` comes
here by itself; everybody else uses :meth:`Guard.from_settings`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, cast

from edgeauth._record.decision_file import DecisionFile
from edgeauth._record.decision_log import DecisionLog
from edgeauth._record.list_age import AgeWarning
from edgeauth._reload.watched_policy import policy_source
from edgeauth.errors import ConfigurationError
from edgeauth.observers import Observers
from edgeauth.outer import Terms
from edgeauth.replay import store_of
from edgeauth.settings import STALE_DAYS, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeauth.forwarded import TrustedProxies
    from edgeauth.guard import Guard
    from edgeauth.guard_facts import GuardSettings
    from edgeauth.policy import Policy

    _GuardT = TypeVar("_GuardT", bound=Guard)

# Named is what may differ: a setting that is new counts until somebody says otherwise.
_NEITHER = frozenset({"mode", "strip_header", "decisions", "addresses_stale_days", "metrics"})
_OTHER_WAYS_IN = frozenset(
    {
        *("exempt", "mount_points", "pass_secret", "pass_secret_file"),
        *("revoked_passes", "revoked_passes_file"),
    }
)
_ONCE = frozenset({"replay", "replay_methods", "replay_failure"})


def build_guard(
    cls: type[_GuardT], settings: GuardSettings | Mapping[str, Any] | None = None
) -> _GuardT:
    """A guard of settings, a mapping of them, or (None) the environment; started.

    Raises:
        ConfigurationError: a setting is unknown, unusable or missing.
    """
    if settings is None:
        settings = Settings.from_environ()
    elif not isinstance(settings, Settings):
        settings = Settings.from_mapping(cast("Mapping[str, Any]", settings))  # which says so
    source = policy_source(settings)
    guard = guard_of(cls, settings, source.policy)
    guard.follow(source, terms_of(settings))
    for kind in settings.metrics:
        _count(kind, guard)
    guard.start()
    return guard


def guard_of(
    cls: type[_GuardT],
    settings: Settings,
    policy: Policy,
    *,
    trusted_proxies: tuple[str, ...] | None = None,
    observers: Observers | None = None,
) -> _GuardT:
    """A guard that decides by *policy*, and otherwise as *settings* say.

    Args:
        cls: the class of the guard.
        settings: for all that is no part of a policy.
        policy: what to decide by.
        trusted_proxies: instead of those of the settings.
        observers: instead of those that a guard has by itself.

    Raises:
        ConfigurationError: a value that the guard refuses.
    """
    return cls(
        policy.scheme,
        addresses=policy.addresses,
        trusted_proxies=settings.trusted_proxies if trusted_proxies is None else trusted_proxies,
        exempt=settings.exempt,
        mode=settings.mode,
        strip_header=settings.strip_header,
        decisions=settings.decisions,
        passes=policy.passes,
        addresses_stale_days=settings.addresses_stale_days,
        mount_points=settings.mount_points,
        observers=observers,
        replay=None if settings.replay is None else store_of(settings.replay),
        replay_methods=settings.replay_methods,
        replay_failure=settings.replay_failure,
    )


def terms_of(settings: Settings) -> Terms:
    """The terms of a guard that *settings* made."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return Terms(
        tuple(values[name] for name in values if name not in _NEITHER | _OTHER_WAYS_IN | _ONCE),
        tuple(values[name] for name in sorted(_OTHER_WAYS_IN)),
        None
        if settings.replay is None
        else (settings.replay, settings.replay_methods, settings.replay_failure),
    )


def default_observers(
    mode: str, decisions: str | None, proxies: TrustedProxies, stale_days: float | None
) -> Observers:
    """The log, the file *decisions* if it is one, and the warning of an old address list.

    Raises:
        ConfigurationError: *stale_days* is no age in days that a list may have.
    """
    told = [
        DecisionLog(enforced=mode == "enforce"),
        AgeWarning(STALE_DAYS if stale_days is None else stale_days),
    ]
    return Observers([*told, *_file(decisions, proxies)])


def _count(kind: str, guard: Guard) -> None:
    # Here, since most have none, and extras bring what they need.
    try:
        if kind == "prometheus":
            from edgeauth.metrics import GuardCollector  # noqa: PLC0415

            GuardCollector(guard)
        else:
            from edgeauth.telemetry import GuardTelemetry  # noqa: PLC0415

            GuardTelemetry(guard)
    except ImportError as error:
        extra = "metrics" if kind == "prometheus" else "otel"
        raise ConfigurationError(
            f"metrics: {kind} needs the package {error.name}: pip install 'edgeauth[{extra}]'"
        ) from None


def worker_observers(settings: Settings, proxies: TrustedProxies) -> Observers:
    """As :func:`default_observers`, for one of several processes: it warns of nothing at start.

    The process that started it does that, once for all of them.
    """
    log = DecisionLog(enforced=settings.mode == "enforce", warns=False)
    return Observers([log, *_file(settings.decisions, proxies)])


def _file(decisions: str | None, proxies: TrustedProxies) -> list[DecisionFile]:
    return [] if decisions is None else [DecisionFile(decisions, proxies)]

"""Finds settings with which the app does not start, or lets too much in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth._record.list_age import AgeWarning
from edgeauth.dry_run import dry_run
from edgeauth.errors import ConfigurationError
from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.schemes.configured import widest

if TYPE_CHECKING:
    from edgeauth.settings import Settings

_MAX_AGE = 300
_MAX_FUTURE = 60


def report_only(where: str) -> Finding:
    """The finding that *where* lets everything pass."""
    return Finding(
        "report-only",
        "warning",
        f"{where}: the mode is report-only, so every request is let through",
        "Set mode to 'enforce' when the log shows no refusal of a real visitor.",
    )


def check_start(settings: Settings, found: list[Finding]) -> list[Finding]:
    """A finding if the app does not start, unless *found* has it already."""
    try:
        dry_run(settings, secret_may_follow=True)
    except ConfigurationError as error:
        if str(error) not in {finding.seen for finding in found}:
            return [Finding("settings-unusable", "error", str(error), "The app does not start.")]
    return []


def check_settings(settings: Settings, *, now: float) -> list[Finding]:
    """The mode, the window and the age of the address list at *now* (Unix seconds)."""
    found = [report_only("the settings")] if settings.mode == "report-only" else []
    for name, bound in (("max_age", _MAX_AGE), ("max_future", _MAX_FUTURE)):
        value = widest(settings, name)
        if value is not None and value > bound:
            found.append(
                Finding(
                    "window-large",
                    "warning",
                    f"{name} is {value:g} s; whoever sees a header can use it for so long",
                    f"Set it to {bound} or less, and let a time server keep the clocks.",
                )
            )
    try:
        addresses = settings.build_addresses()
    except ConfigurationError as error:
        advice = "The app does not start with it."
        return [*found, Finding("addresses-unusable", "error", str(error), advice)]
    stale = AgeWarning(settings.addresses_stale_days)
    age = None if addresses is None else stale.age_if_old(addresses, now)
    if addresses is not None and age is not None:
        found.append(
            Finding(
                "addresses-stale",
                "warning",
                f"the address list is of {addresses.as_of}, {age} days ago; what the edge has "
                "added since is refused",
                "Fetch the present list, or upgrade edgeauth for a newer snapshot.",
            )
        )
    return found

"""The table of a guard's settings: each field is an option, what it may be and its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeauth.schemes.options import (
    between,
    read_flag,
    read_list,
    read_number,
    read_one_of,
    read_private_text_or_off,
    read_secret,
    read_text,
    read_text_or_off,
)
from edgeauth.settings.table import options_in, setting, table_of

if TYPE_CHECKING:
    from edgeauth.settings.scheme import SchemeSettings

# The age in days from which an address list is reported as old. The public list changes a few
# times a year, so one of this age has probably missed a change. ``edgeauth addresses update``
# dates the list anew even when nothing changed.
STALE_DAYS = 90
_stale_days = between(1, 3650, "days")


def check_stale_days(days: float) -> None:
    """Refuse what is no age in days that an address list may have.

    Raises:
        ConfigurationError: it is none.
    """
    _stale_days("addresses_stale_days", days)


def _store(setting: str) -> str:
    # Here, since few have one.
    from edgeauth.replay import without_password  # noqa: PLC0415

    return without_password(setting)


@dataclass(frozen=True, slots=True, init=False)
class GuardOptions:
    """What there is to set of a guard.

    Attributes:
        schemes: the settings of each scheme, any of which may accept; at least one.
    """

    schemes: tuple[SchemeSettings, ...]
    addresses: str | None = setting(
        read_text_or_off, None, "`fastly` for the bundled, dated snapshot, or a file of any CDN"
    )
    addresses_stale_days: float = setting(
        read_number("days"),
        STALE_DAYS,
        "days after its date from which the address list is called old",
        check=_stale_days,
    )
    trusted_proxies: tuple[str, ...] = setting(
        read_list,
        (),
        "CIDRs, and `unix`, whose `X-Forwarded-For` is believed where addresses are checked",
    )
    exempt: tuple[str, ...] = setting(
        read_list, (), "`METHOD /exact/path` entries that need no credential; no patterns"
    )
    mount_points: tuple[str, ...] = setting(
        read_list, (), "where exempt paths, and the paths of passes, count; `/` is the root"
    )
    mode: Literal["enforce", "report-only"] = setting(
        read_one_of("enforce", "report-only"),
        "enforce",
        "`report-only` decides and tells, and refuses nobody",
    )
    strip_header: bool = setting(
        read_flag,
        True,  # noqa: FBT003 - a default
        "whether the application is kept from seeing the credential",
    )
    decisions: str | None = setting(
        read_text_or_off, None, "a file that gets one line of JSON a decision"
    )
    replay: str | None = setting(
        read_private_text_or_off,
        None,
        "`memory`, `sqlite:/path`, `redis://host`, `rediss://host` or `unix:///path`: what "
        "remembers credentials that are good once",
        show=_store,
    )
    replay_methods: Literal["all", "unsafe"] = setting(
        read_one_of("all", "unsafe"),
        "all",
        "of which requests: `unsafe` leaves out GET, HEAD, OPTIONS and TRACE",
    )
    replay_failure: Literal["refuse", "accept"] = setting(
        read_one_of("refuse", "accept"),
        "refuse",
        "while the store does not answer: `accept` lets in what may have been in before",
    )
    watch_interval: float = setting(
        read_number("seconds"),
        5,
        "seconds from one check of the watched files to the next",
        check=between(0.01, 3600, "seconds"),
    )
    pass_secret: str | None = setting(
        read_secret, None, "the secret that signs passes; without it none is accepted", secret=True
    )
    pass_secret_file: str | None = setting(
        read_text, None, "a file that holds that secret and nothing else"
    )
    revoked_passes: tuple[str, ...] = setting(
        read_list, (), "ids of passes that are no longer accepted"
    )
    revoked_passes_file: str | None = setting(
        read_text, None, "a file of more such ids, one a line, which is watched"
    )


OPTIONS = table_of(options_in(GuardOptions))

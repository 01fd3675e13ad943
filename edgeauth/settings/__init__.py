"""What a user sets, from a mapping, a TOML file or the environment, and what is made of it.

:mod:`schema` is the table of a guard's settings, :mod:`scheme` that of one scheme, whose options
its kind has itself, and :mod:`cdns` what the name of a CDN sets; :mod:`sources` and :mod:`reading`
read what somebody wrote, and :mod:`guard_settings` makes a guard's parts of it.

It may import the proof and ``replay``. Everybody above the proof may import it.
"""

from edgeauth.settings.cdns import CDNS
from edgeauth.settings.guard_settings import Settings
from edgeauth.settings.parts import refuse_one_secret_for_both
from edgeauth.settings.schema import OPTIONS, STALE_DAYS, check_stale_days
from edgeauth.settings.scheme import SchemeSettings
from edgeauth.settings.sources import config_path, named_by_variables, read_document, read_toml

__all__ = [
    "CDNS",
    "OPTIONS",
    "STALE_DAYS",
    "SchemeSettings",
    "Settings",
    "check_stale_days",
    "config_path",
    "named_by_variables",
    "read_document",
    "read_toml",
    "refuse_one_secret_for_both",
]

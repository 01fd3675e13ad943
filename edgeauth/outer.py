"""What a gate inside another one may take from it, instead of judging a second time.

The outer gate has removed the credential, so an inner one that judged anew would refuse every
request. But an application may well have a stricter gate on one part of it, with another key.
So a verdict is taken only from a guard of this process that goes by the same terms.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edgeauth.settings import Settings

# Named is what may differ: a setting that is new counts until somebody says otherwise.
_NEITHER = frozenset({"mode", "strip_header", "decisions", "addresses_stale_days"})
_OTHER_WAYS_IN = frozenset(
    {
        *("exempt", "mount_points", "pass_secret", "pass_secret_file"),
        *("revoked_passes", "revoked_passes_file"),
    }
)


class Terms(NamedTuple):
    """What a guard decides by, to be held against that of another.

    Attributes:
        proof: how a request proves where it came from.
        other_ways_in: what else lets it in.
    """

    proof: tuple[object, ...]
    other_ways_in: tuple[object, ...]


def terms_of(settings: Settings) -> Terms:
    """The terms of a guard that *settings* made."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return Terms(
        tuple(values[name] for name in values if name not in _NEITHER | _OTHER_WAYS_IN),
        tuple(values[name] for name in sorted(_OTHER_WAYS_IN)),
    )

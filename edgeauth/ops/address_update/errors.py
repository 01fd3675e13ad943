"""The error of a list that was not accepted."""

from __future__ import annotations

from edgeauth.errors import EdgeAuthError


class ListRefused(EdgeAuthError):
    """The public list could not be fetched, or is not plausible. Nothing was changed.

    The message says why, and what to do about it.
    """

"""Why an address list was not taken over."""

from __future__ import annotations

from edgeauth.errors import EdgeAuthError


class ListRefused(EdgeAuthError):
    """The public list could not be had, or is not to be believed. Nothing was changed.

    The message says what was seen and what to do about it.
    """

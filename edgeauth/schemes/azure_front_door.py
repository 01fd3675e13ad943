"""The id of an Azure Front Door profile, in a field that Front Door writes. It is no secret.

Front Door puts it over whatever a client or another customer sent, so on a connection from Front
Door it names whose profile this is. From anywhere else it says nothing: the id stands in the
portal, in templates and logs. So this scheme needs an address list, and a guard without one is
an error.

Source: https://learn.microsoft.com/azure/frontdoor/origin-security
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, ClassVar, Self

from edgeauth.errors import ClaimRefused, ConfigurationError, MalformedHeader
from edgeauth.schemes.base import not_once
from edgeauth.schemes.options import Option, read_list
from edgeauth.verdict import EdgeIdentity

if TYPE_CHECKING:
    from edgeauth.keys import KeyRing
    from edgeauth.request import Request

HEADER = "X-Azure-FDID"

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RECEIVED = re.compile(_ID.pattern.encode())


class FrontDoorScheme:
    """Accepts a request that bears the id of one of these Front Door profiles.

    Args:
        ids: those of your profiles: "Front Door ID" on the profile's overview, 36 characters.

    Raises:
        ConfigurationError: there is none, or one is no such id.
    """

    kind: ClassVar[str] = "azure-front-door"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("front_door_ids", read_list, (), "the ids of your Front Door profiles; a list"),
    )
    needs_keys: ClassVar[bool] = False
    needs_addresses: ClassVar[bool] = True
    headers: ClassVar[tuple[str, ...]] = (HEADER,)

    def __init__(self, ids: Iterable[str]) -> None:
        if isinstance(ids, (str, bytes)):
            raise ConfigurationError("give a list of Front Door ids, not a single one")
        self.ids = tuple(_read(one) for one in ids)
        if not self.ids:
            raise ConfigurationError(
                "no Front Door id: set front_door_ids to the 'Front Door ID' of your profile"
            )
        self._expected = tuple((one.encode(), one) for one in self.ids)

    @classmethod
    def from_options(cls, _keys: KeyRing | None, options: Mapping[str, Any]) -> Self:
        """The scheme with these values of ``OPTIONS``; it has no keys.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(options["front_door_ids"])

    def credential(self, *, now: float, **_how: object) -> Mapping[str, str]:  # noqa: ARG002
        """The field as Front Door sends it, with the last of the ids."""
        return {HEADER: self.ids[-1]}

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:  # noqa: ARG002
        """Verify the field of *request*. The guard has looked at the address before.

        The identity covers nothing: the field is the same on every request, for ever.

        Raises:
            MissingHeader: the field is absent.
            MalformedHeader: it is there more than once, or holds no id.
            ClaimRefused: it holds the id of a profile of somebody else.
        """
        values = request.header(HEADER)
        if len(values) != 1:
            raise not_once(values, HEADER)
        received = values[0].lower()
        if not _RECEIVED.fullmatch(received):
            raise MalformedHeader(f"{HEADER} holds no id of a Front Door profile")
        for expected, one in self._expected:
            if compare_digest(expected, received):
                return EdgeIdentity(timestamp=None, pop=None, key_id=one, scheme=self.kind)
        raise ClaimRefused(
            f"{HEADER} names another Front Door profile",
            hint="compare front_door_ids with 'Front Door ID' on the overview of your profile; "
            "another customer's request looks the same",
        )

    def __repr__(self) -> str:
        return f"FrontDoorScheme({list(self.ids)!r})"


def _read(one: object) -> str:
    text = one.lower() if isinstance(one, str) else ""
    if not _ID.fullmatch(text):
        raise ConfigurationError(
            f"{one!r} is no Front Door id: write the 36 characters of 'Front Door ID', such as "
            "0a1b2c3d-0000-4000-8000-0123456789ab"
        )
    return text

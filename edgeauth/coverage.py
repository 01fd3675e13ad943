"""What an endpoint may demand of a credential, beyond that it is the edge's."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, NotCovered
from edgeauth.guard import Guard
from edgeauth.verdict import PARTS, Verdict

if TYPE_CHECKING:
    from edgeauth.request import Request


class Demand:
    """Demands that credentials vouch for all of *parts*.

    Args:
        parts: of ``method``, ``path``, ``query``, ``host``, ``body``, ``time`` and ``once``.

    Raises:
        ConfigurationError: none is given, or one is not known.
    """

    def __init__(self, *parts: str) -> None:
        if not parts:
            raise ConfigurationError(f"name what must be covered, of {', '.join(PARTS)}")
        for part in parts:
            if part not in PARTS:
                near = get_close_matches(str(part), PARTS, n=1)
                raise ConfigurationError(
                    f"{part!r} is nothing that a credential can cover: "
                    + (f"did you mean {near[0]!r}?" if near else f"use {', '.join(PARTS)}")
                )
        self.parts = frozenset(parts)

    def met(self, verdict: object, guard: object, request: Request) -> bool:
        """Whether the credential of *request* covers the parts.

        A request that has no credential, by an exemption or a pass, has nothing covered. In
        report-only mode it is told and let in.

        Args:
            verdict: what the gate left.
            guard: what the gate left, which is told of a refusal.
            request: the view of it.

        Raises:
            ConfigurationError: no gate left anything, so nothing was checked.
        """
        if not isinstance(verdict, Verdict) or not isinstance(guard, Guard):
            raise ConfigurationError(
                "nothing checked this request: put the application behind EdgeAuthMiddleware"
            )
        identity = verdict.identity
        missing = self.parts if identity is None else self.parts - identity.covers
        if not missing:
            return True
        named = ", ".join(part for part in PARTS if part in missing)
        error = NotCovered(
            f"this endpoint demands what the credential does not cover: {named}",
            identity=identity,
            hint="let the edge sign it, or demand less here"
            if identity is not None
            else f"the request was let in as {verdict.reason}, with no credential",
        )
        return guard.refuse(request, error).allowed

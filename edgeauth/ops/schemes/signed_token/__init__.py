"""Signed tokens (JWT), as the operator's tools see them.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.ops.schemes.tools import Tools

if TYPE_CHECKING:
    from edgeauth.ops.schemes.diagnosis import Diagnosis
    from edgeauth.ops.schemes.probe_rows import Plan, Row
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.signed_token import SignedTokenScheme


# Each is imported when it is used: a command that signs should not wait for what explains.


def _explain(scheme: SignedTokenScheme, lines: RequestLines, now: float) -> Diagnosis:
    from edgeauth.ops.schemes.signed_token.explain import explain  # noqa: PLC0415

    return explain(scheme, lines, now)


def _attacks(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.signed_token.attacks import attacks  # noqa: PLC0415

    return attacks(scheme, plan)


def _genuine(scheme: SignedTokenScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.signed_token.attacks import genuine  # noqa: PLC0415

    return genuine(scheme, plan)


TOOLS = Tools(
    explain=_explain, wishes=frozenset({"key"}), attacks=_attacks, genuine=_genuine, snippets={}
)

"""HTTP Message Signatures, as the operator's tools see them.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.ops.schemes.message_signatures.snippets import SNIPPETS, parameters
from edgeauth.ops.schemes.tools import Tools

if TYPE_CHECKING:
    from edgeauth.ops.schemes.diagnosis import Diagnosis
    from edgeauth.ops.schemes.probe_rows import Plan, Row
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.message_signatures import MessageSignatureScheme


# Each is imported when it is used: a command that signs should not wait for what explains.


def _explain(scheme: MessageSignatureScheme, lines: RequestLines, now: float) -> Diagnosis:
    from edgeauth.ops.schemes.message_signatures.explain import explain  # noqa: PLC0415

    return explain(scheme, lines, now)


def _attacks(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.message_signatures.attacks import attacks  # noqa: PLC0415

    return attacks(scheme, plan)


def _genuine(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.message_signatures.attacks import genuine  # noqa: PLC0415

    return genuine(scheme, plan)


def _names_target(scheme: MessageSignatureScheme) -> bool:
    from edgeauth.schemes.message_signatures.arguments import required  # noqa: PLC0415

    return any("target" in part.needs for part in required(scheme.components))


TOOLS = Tools(
    explain=_explain,
    wishes=frozenset({"key"}),
    attacks=_attacks,
    genuine=_genuine,
    snippets=SNIPPETS,
    good_once=lambda scheme: scheme.require_nonce,
    names_target=_names_target,
    parameters=parameters,
)

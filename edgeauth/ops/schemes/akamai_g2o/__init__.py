"""Akamai's G2O, as the operator's tools see it.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.ops.schemes.akamai_g2o.snippets import SNIPPETS, parameters
from edgeauth.ops.schemes.tools import Tools

if TYPE_CHECKING:
    from edgeauth.ops.schemes.diagnosis import Diagnosis
    from edgeauth.ops.schemes.probe_rows import Plan, Row
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme


# Each is imported when it is used: a command that signs should not wait for what explains.


def _explain(scheme: AkamaiG2OScheme, lines: RequestLines, now: float) -> Diagnosis:
    from edgeauth.ops.schemes.akamai_g2o.explain import explain  # noqa: PLC0415

    return explain(scheme, lines, now)


def _attacks(scheme: AkamaiG2OScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.akamai_g2o.attacks import attacks  # noqa: PLC0415

    return attacks(scheme, plan)


def _genuine(scheme: AkamaiG2OScheme, plan: Plan) -> list[Row]:
    from edgeauth.ops.schemes.akamai_g2o.attacks import genuine  # noqa: PLC0415

    return genuine(scheme, plan)


def _always(_scheme: AkamaiG2OScheme) -> bool:
    return True


TOOLS = Tools(
    explain=_explain,
    attacks=_attacks,
    genuine=_genuine,
    snippets=SNIPPETS,
    parameters=parameters,
    may_be_good_once=_always,
    names_target=_always,
)

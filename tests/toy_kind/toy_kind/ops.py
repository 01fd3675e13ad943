"""What an operator's tools know of the toy scheme."""

from __future__ import annotations

from importlib.resources import files

from edgeauth import BadSignature, VerificationError
from edgeauth.ops.schemes import Diagnosis, Field, Finding, Outgoing, Row, Tools, bad, credential
from toy_kind import PROOF


def explain(scheme, lines, now):
    try:
        scheme.verify(lines, now=now)
    except BadSignature:
        seen = f"{lines.method} {lines.path}"
        finding = Finding("toy-proof", f"The proof is not of {seen}: was the path rewritten?")
        return Diagnosis((Field(PROOF, "", ok=False, note=f"not of {seen}"),), (finding,))
    except VerificationError as error:
        return Diagnosis((), (Finding(f"toy-{error.reason}", "Ask the edge for a new proof."),))
    return Diagnosis((Field(PROOF, "", ok=True, note="fits"),), ())


def attacks(scheme, plan):
    title = "a proof of another path"
    if plan.no_key is not None:
        return [Row("toy-other-path", title, "refused", None, plan.no_key)]

    def elsewhere(now):
        made = credential(scheme)(Outgoing("GET", plan.authority, "/elsewhere"), now)
        return [(name, value.encode()) for name, value in made]

    def too_old(now):
        made = credential(scheme)(Outgoing("GET", plan.authority, plan.path), now - 1000)
        return [(name, value.encode()) for name, value in made]

    return [
        bad(plan, "toy-other-path", title, "the path is not looked at", elsewhere),
        bad(plan, "toy-too-old", "a proof of long ago", "the time is not looked at", too_old),
    ]


TOOLS = Tools(
    explain=explain,
    attacks=attacks,
    snippets={"toy-edge": files("toy_kind") / "edge.conf"},
)

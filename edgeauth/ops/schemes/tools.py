"""What an operator's tools know of one kind of scheme, and what they do without that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeauth.errors import VerificationError
from edgeauth.ops.schemes.diagnosis import Diagnosis, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.resources.abc import Traversable

    from edgeauth.ops.schemes.probe_rows import Plan, Row
    from edgeauth.ops.schemes.request_lines import RequestLines

    _Rows = Callable[[Any, Plan], list[Row]]


def _hint(scheme: Any, lines: RequestLines, now: float) -> Diagnosis:  # noqa: ANN401
    try:
        scheme.verify(lines, now=now)
    except VerificationError as error:
        if error.hint:
            hint = f"{error.hint[0].upper()}{error.hint[1:]}."
            return Diagnosis((), (Finding(error.reason, hint),))
    return Diagnosis((), ())


def _no(_scheme: Any) -> bool:  # noqa: ANN401
    return False


def _none(_scheme: Any) -> Mapping[str, str]:  # noqa: ANN401
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is known of a kind beyond checking it. Whatever is left out has a plain default.

    Attributes:
        explain: why a scheme accepts or refuses lines of a request at a time (Unix seconds).
            The default is the hint of its error.
        wishes: the options of ``edgeauth sign``, ``pop`` and ``encoding``, that mean something
            to the scheme's ``credential``.
        attacks: rows of a probe that an origin with the scheme must refuse, beside those that
            hold for any; None adds none.
        genuine: rows that it must answer; None is what the scheme's ``credential`` makes.
        snippets: by the name of an edge, what it runs: a file below ``integrations/``, or one
            of the package that the kind comes from.
        good_once: whether what the scheme accepts is good for one request, so that a gate must
            remember it.
        may_be_good_once: whether it can be told apart, so that a gate may remember it, and need
            not: the edge itself may send it twice.
        names_target: whether the scheme needs the target as it was sent.
        parameters: what a scheme's settings put into a snippet, by the name that the file declares,
            as it is written there; beside its header field, which every kind has.
        sends_secret: whether the credential is the secret itself. It is then not printed, not
            taken as an argument and not sent by a probe.
    """

    explain: Callable[[Any, RequestLines, float], Diagnosis] = _hint
    wishes: frozenset[str] = frozenset()
    attacks: _Rows | None = None
    genuine: _Rows | None = None
    snippets: Mapping[str, str | Traversable] = field(default_factory=dict)
    good_once: Callable[[Any], bool] = _no
    may_be_good_once: Callable[[Any], bool] = _no
    names_target: Callable[[Any], bool] = _no
    parameters: Callable[[Any], Mapping[str, str]] = _none
    sends_secret: bool = False

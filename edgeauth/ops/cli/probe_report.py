"""The results of a probe as JSON and JUnit, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeauth.ops.probe.judge import Result


#: What the document has.
MEMBERS = {
    "url": "what was probed",
    "passed": "how many rows are as they must be",
    "failed": "how many are not",
    "not_tried": "how many could not be tried",
    "rows": "a list: id, title, expected, outcome, answer, meaning",
}


def document(url: str, results: Sequence[Result]) -> dict[str, Any]:
    """The results as JSON values."""
    return {
        "url": url,
        "passed": count(results, "pass"),
        "failed": count(results, "fail"),
        "not_tried": count(results, "not tried"),
        "rows": [
            {
                "id": result.row.id,
                "title": result.row.title,
                "expected": result.row.expected,
                "outcome": result.outcome,
                "answer": result.answer or None,
                "meaning": result.meaning or None,
            }
            for result in results
        ],
    }


def junit(url: str, results: Sequence[Result]) -> bytes:
    """The results as a JUnit file: one test case a row."""
    suite = ET.Element(
        "testsuite",
        name=f"edgeauth probe {escaped(url)}",
        tests=str(len(results)),
        failures=str(count(results, "fail")),
        errors="0",
        skipped=str(count(results, "not tried")),
    )
    for result in results:
        case = ET.SubElement(suite, "testcase", classname="edgeauth.probe", name=result.row.title)
        # Where a redirect leads is the origin's text, and XML has no control characters.
        meaning = escaped(result.meaning)
        if result.outcome == "fail":
            expected = f"expected to be {result.row.expected}, got {result.answer}"
            ET.SubElement(case, "failure", message=expected).text = meaning
        elif result.outcome == "not tried":
            ET.SubElement(case, "skipped", message=meaning)
    written: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def count(results: Sequence[Result], outcome: str) -> int:
    """How many results have *outcome*."""
    return sum(result.outcome == outcome for result in results)

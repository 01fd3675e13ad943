"""What reports/mutation.md says: the results of the last run, and why each survivor is one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "reports" / "mutation.md"

# An explanation is a heading with the place, and the lines that differ; the reason is prose.
_HEADING = re.compile(r"### `([a-z0-9_/]+\.py)`(?:, `([A-Za-z0-9_.]+)`)?")
_DIFFERENCE = re.compile(r"```diff\n(.*?)```", re.DOTALL)
_TABLE = re.compile(r"(?<=<!-- results -->\n\n).*?(?=\n\n<!-- end of results -->)", re.DOTALL)


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test sees: the file, the function (or empty), the lines that differ."""

    file: str
    place: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"- {line}" for line in self.before] + [f"+ {line}" for line in self.after]
        heading = f"### `{self.file}`" + (f", `{self.place}`" if self.place else "")
        return "\n".join([heading, "", "```diff", *lines, "```"])


@dataclass(frozen=True)
class Result:
    """How the mutants of one file fared, and of what state of the file they were (its digest)."""

    file: str
    mutants: int
    killed: int
    timeouts: int
    of: str

    @property
    def score(self) -> float:
        """The killed ones of a hundred."""
        return 100 * self.killed / max(self.mutants, 1)


def explained(page: str) -> list[Survivor]:
    """The survivors that *page* explains."""
    found = []
    file, place = "", ""
    for part in re.split(r"(?m)^(?=### |```diff)", page):
        if heading := _HEADING.match(part):
            file, place = heading[1], heading[2] or ""
        elif difference := _DIFFERENCE.match(part):
            lines = difference[1].splitlines()
            before = tuple(line[1:].strip() for line in lines if line.startswith("-"))
            after = tuple(line[1:].strip() for line in lines if line.startswith("+"))
            found.append(Survivor(file, place, before, after))
    return found


def digest(file: str) -> str:
    """The first digits of the SHA-256 of *file* as it is now."""
    return hashlib.sha256((ROOT / "edgeauth" / file).read_bytes()).hexdigest()[:8]


def table(results: list[Result], files: Iterable[str]) -> str:
    """The results as a table in Markdown, with their sum, and those of *files* that have none."""
    total = Result(
        "all of these",
        sum(result.mutants for result in results),
        sum(result.killed for result in results),
        sum(result.timeouts for result in results),
        "",
    )
    rows = [
        f"| {result.file} | {result.mutants} | {result.killed} | {result.timeouts} "
        f"| {result.mutants - result.killed} | {result.score:.1f} % | {result.of} |"
        for result in (*results, total)
    ]
    head = "| file | mutants | killed | of them by the time limit | survived | score | SHA-256 |"
    ran = {result.file for result in results}
    never = [f"| {file} | not run yet | | | | | |" for file in files if file not in ran]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, *never])


def results_of(page: str) -> list[Result]:
    """The results that *page* has."""
    row = r"^\| (\S+\.py) \| (\d+) \| (\d+) \| (\d+) \| \d+ \| [\d.]+ % \| ([0-9a-f]{8}) \|$"
    return [
        Result(file, int(mutants), int(killed), int(timeouts), of)
        for file, mutants, killed, timeouts, of in re.findall(row, page, re.MULTILINE)
    ]


def with_results(page: str, results: list[Result]) -> str:
    """*page* with *results* in its table; those of other files stay."""
    new = {result.file: result for result in results}
    known = {result.file: result for result in results_of(page)}
    rows = [(known | new)[file] for file in SUBJECTS if file in known | new]
    return _TABLE.sub(lambda _: table(rows, SUBJECTS), page)

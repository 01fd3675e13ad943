"""The table on the terminal, and reports/soak.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from support.proxies import nginx_binary

import edgeauth
from soak.once import ADMITTED, REFUSED
from soak.once import LOST as LOST_ONE
from soak.once_proxied import ProxiedStorm
from soak.visitors import CLOSED, LOST, NOT_TAKEN, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from soak.health import Growth
    from soak.once import Storm
    from soak.stretches import Course, Stretch

_PACKAGES = ("uvicorn", "httptools", "uvloop", "gunicorn")

_COUNTS = (
    *("stretch", "s", "sent", "admitted", "403", "400", "500", "half-sent", "no answer"),
    *("lines", "beyond", "metrics"),
)
_MEMORY = (
    *("process", "RSS KiB", "own KiB, ten samples in the order of time"),
    *("fitted RSS", "fitted own", "bound"),
)
_DESCRIPTORS = ("process", "early", "late")

_ABOUT = """\
Written by `make soak` (SOAK_SECONDS, here {seconds:.0f}, over four set-ups), when everything below
agreed; the command ends with status 1 and leaves this page alone when something does not.

Real servers on loopback, two workers each: a small ASGI app under uvicorn, a small WSGI app under
gunicorn (preloaded, eight threads a worker), `edgeauth serve` asked over its Unix socket, and nginx
with the complete configuration of [integrations/nginx](../integrations/nginx/) in front of
`edgeauth serve` and an application. Eight visitors send requests on connections that are kept or
closed, by the client or by the server; one at a time, pipelined up to six at a time, in pieces, or
half of one. What must come of a request is known before it is sent. Its answer is compared with
that (the status, and which key and reason the application was told), and so is its line in the
file of decisions: nearly every request has a path of its own.

{machine}
"""

_EQUALITIES = """\
The load stands still after each stretch. Then, exactly, for each single request and not just in
the sum:

- **Each decision that was answered is in the file of decisions once**, with the method, path,
  reason, key and POP that were expected. What is no HTTP, and half of a request, is not there.
- **The metrics of the service are the lines**, by result and reason, by key and POP, in the number
  of ages and of durations. What is no HTTP has no line: the service counts it as `unreadable`, and
  that count is what was sent. So `metrics` is `lines` and what was sent that is no HTTP. (nginx
  refuses that itself.) The service is asked for them, so a stretch that ends it has none.
- **Nothing is admitted that must not be**, under any fault. While the service is down each question
  through nginx is a 500.
- **SIGTERM loses nothing that was decided**: no decision is without its answer. `no answer` are
  requests that came when the server no longer read: they have no line either.
- **While keys change no request is in doubt**: the origin takes the new key, the edge switches, the
  origin drops the old one. Requests by a key to come and by one that was dropped are sent
  all along, and refused.

Only a process that is killed makes an interval of an equality, as wide as what was on its way at
that moment (eight visitors, six requests at most each):

- A request may stay without an answer, and its line may be there or not: `beyond` counts the lines
  that nobody had the answer to. Behind nginx, which asks again when the asked worker dies, a
  decision may be there twice, and a 500 is possible; so it is when the service is stopped.
- The metrics may be behind the lines by one for each killed worker: it writes the line first.
"""

_STORM = (
    *("what happened", "admitted", "refused", "no answer", "slowest, ms"),
    "admitting again after, ms",
)

_ONCE = """\
A message signature for each request, and a replay store. Each request is sent twice at the same
time, on two connections, and again where nobody answered. Of each single one: it is admitted once
at most, and its lines in the file of decisions are those of its answers. While the store is out of
order requests are refused; then they are admitted again.
"""

_PROXIED_STORM = (
    *("what happened", "admitted", "reached the app", "403", "500", "asked again", "lines"),
    *("metrics", "slowest, ms", "admitting again after, ms"),
)

_PROXIED = """\
The same through nginx and `edgeauth serve`, by four accounts of each request. It reaches the
application as often as nginx answers 200: once at most. nginx's log says which question got no
answer, as its worker had ended. Each other one has its line, and is counted; such a one may have a
line, and two lines with `ok` are then one admission: nginx asked again, by the same name. It does
so on a connection that it had kept; on a new one it answers 500. `ended before they told` are
workers that end when the store, the file and the metrics have an admission, and nginx does not
know of it.
"""

_SENT = """\
A signature is by the key in force, in one of the edge's three forms, unless its kind says
otherwise. What came of it is a status, or: nothing, of half a request; closed, where the server
ended the connection of what is no HTTP; lost and not taken, where a connection ended in a fault,
the latter by an answer that said so.
"""

_FLAT = """\
Sampled in the stretch without a fault, once thousands of different values have filled the caches of
accepted ones, which are bounded. `own` is what a process shares with no other (USS, from
`/proc/PID/smaps_rollup`). A line is fitted through all samples of each; flat means that the one or
the other grows by less than the bound from the first sample to the last. A leak is in both: `own`
alone rises by megabytes, once, when the garbage collector first looks at everything in a forked
process, since it writes to pages that were shared until then; RSS alone rises with pages of a
library that are read for the first time. The bound is 24 bytes a request, and never less than
1,536 KiB, which is what one step of the allocator, a MiB, makes of the line.
"""


def show(course: Course) -> None:
    """The table of one set-up on the terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    table = Table(title=course.name, title_justify="left")
    for number, name in enumerate(_COUNTS):
        table.add_column(name, no_wrap=True, justify="right" if number else "left")
    for row in map(_counts, course.stretches):
        table.add_row(*row)
    console.print(table)
    grown = max(course.growth, key=lambda growth: growth.leaked)
    console.print(
        f"memory: at most {grown.leaked:+,.0f} KiB in {grown.requests:,} requests ({grown.name}); "
        f"file descriptors: {sum(late for _, _, late in course.descriptors)} as before",
        style="dim",
    )
    for problem in course.problems:
        console.print(problem, style="bold red", markup=False)


def write(path: Path, courses: Sequence[Course], storms: Sequence[Storm], seconds: float) -> None:
    """reports/soak.md."""
    lines = [*_lines(courses, seconds), *_once(storms)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _once(storms: Sequence[Storm]) -> Iterator[str]:
    proxied = [storm for storm in storms if isinstance(storm, ProxiedStorm)]
    yield "## Requests that are good once"
    yield ""
    yield _ONCE
    yield from _table(_STORM, (_storm(storm) for storm in storms if storm not in proxied))
    yield _PROXIED
    yield from _table(_PROXIED_STORM, map(_proxied_storm, proxied))


def _storm(storm: Storm) -> list[str]:
    counts = (storm.answers[kind] for kind in (ADMITTED, REFUSED, LOST_ONE))
    seconds = (f"{1000 * number:,.0f}" for number in (storm.slowest, storm.recovered))
    return [storm.name, *(f"{count:,}" for count in counts), *seconds]


def _proxied_storm(storm: ProxiedStorm) -> list[str]:
    name, admitted, refused, lost, *seconds = _storm(storm)
    lines = "" if storm.lines is None else f"{storm.lines:,}"
    counts = (f"{storm.reached:,}", refused, lost, f"{storm.asked_again:,}", lines)
    return [name, admitted, *counts, f"{storm.metrics:,}", *seconds]


def _lines(courses: Sequence[Course], seconds: float) -> Iterator[str]:
    yield "# The soak: does every count agree, and is anything leaked?"
    yield ""
    yield _ABOUT.format(seconds=seconds, machine=_machine())
    yield "## What was counted"
    yield ""
    yield _EQUALITIES
    for course in courses:
        yield f"### {course.name}"
        yield ""
        yield from _table(_COUNTS, map(_counts, course.stretches))
    yield "## What was sent"
    yield ""
    yield _SENT
    yield from _table(("kind", "what came of it", *(c.name for c in courses)), _kinds(courses))
    yield "## Memory"
    yield ""
    yield _FLAT
    for course in courses:
        first = course.growth[0]
        yield f"### Memory of {course.name}"
        yield ""
        yield (
            f"{first.requests:,} requests in {first.seconds:.0f} s: a leak of "
            f"{first.seen_from:.0f} bytes a request would be seen."
        )
        yield ""
        yield from _table(_MEMORY, map(_growth, course.growth))
    yield "## File descriptors"
    yield ""
    yield "When the load stood still, before the first fault and after the last stretch of load:"
    yield "equal for each process, and for each worker that took the place of a killed one."
    yield ""
    for course in courses:
        yield from _table(
            (f"{course.name}", *_DESCRIPTORS[1:]),
            ((name, str(early), str(late)) for name, early, late in course.descriptors),
        )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _counts(stretch: Stretch) -> tuple[str, ...]:
    tally, found = stretch.found.tally, stretch.found
    return (
        stretch.name,
        f"{stretch.seconds:.0f}",
        *(
            f"{number:,}"
            for number in (
                tally.sent.total(),
                tally.answered("200", "204"),
                tally.answered("403"),
                tally.answered("400", "431", CLOSED),
                tally.answered("500"),
                tally.answered(NOTHING),
                tally.answered(LOST, NOT_TAKEN),
                found.lines,
                found.beyond,
            )
        ),
        "" if found.metrics is None else f"{found.metrics:,}",
    )


def _kinds(courses: Sequence[Course]) -> Iterator[tuple[str, ...]]:
    sent: list[Counter[str]] = []
    came: dict[str, Counter[str]] = {}
    for course in courses:
        of_course: Counter[str] = Counter()
        for stretch in course.stretches:
            of_course.update(stretch.found.tally.sent)
            for (kind, word), count in stretch.found.tally.answers.items():
                came.setdefault(kind, Counter())[word] += count
        sent.append(of_course)
    for kind in sorted(came):
        words = [word for word, _ in came[kind].most_common()]
        yield (kind, ", ".join(words), *(f"{counts[kind]:,}" for counts in sent))


def _growth(growth: Growth) -> tuple[str, ...]:
    series = growth.series
    step = max(1, len(series) // 10)
    return (
        growth.name,
        f"{series[0].resident:,} to {series[-1].resident:,}",
        " ".join(f"{sample.own:,}" for sample in series[::step][:10]),
        *(f"{kib:+,.0f}" for kib in growth.fitted),
        f"{growth.bound:,.0f}",
    )


def _machine() -> str:
    nginx = subprocess.run(
        [nginx_binary(), "-v"], capture_output=True, text=True, check=True
    ).stderr
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}, "
        f"{packages}, {nginx.strip().removeprefix('nginx version: ')}, "
        f"edgeauth {edgeauth.__version__}."
    )

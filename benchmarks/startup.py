"""What importing edgeauth costs, in time and memory, and how soon the command answers."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from measure import rounds
from report import Group, Row

ROUNDS = 25
SIGN_LIMIT_SECONDS = 0.150

# Linux: proc(5). Not getrusage, whose maximum includes the process that forked this one.
_MEMORY = "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmRSS' in line))"

# "import edgeauth" alone imports next to nothing, so it would say nothing: what an app pays
# for is the first public name.
GUARD = "from edgeauth import Guard"

# What an app imports of edgeauth, and what it has imported before.
IMPORTS = {
    GUARD: "",
    "import edgeauth.asgi": "",
    "import edgeauth.wsgi": "",
    "import edgeauth.flask": "import flask",
    "import edgeauth.django.middleware": "import django.http",
    "import edgeauth.starlette": "import starlette.requests",
}


class Spent(NamedTuple):
    """Seconds of one process, by its own CPU time and by the clock."""

    cpu: float
    clock: float


def group() -> Group:
    sign = Path(sys.executable).parent / "edgeauth"
    commands = {
        "python": _python("pass"),
        "click": _python("import click"),
        "sign": [str(sign), "sign"],
        # What the framework itself costs is not ours: it is loaded in both.
        **{f"with {ours}": _python(_both(base, ours)) for ours, base in IMPORTS.items()},
        **{f"without {base}": _python(base or "pass") for base in set(IMPORTS.values())},
    }
    spent = _side_by_side(commands)

    def cpu(name: str) -> list[float]:
        return [one.cpu for one in spent[name]]

    bare = statistics.median(cpu("python"))

    def row(label: str, seconds: list[float]) -> Row:
        pairs = zip(seconds, cpu("python"), strict=True)
        return Row(label, statistics.median(seconds), statistics.median(a / b for a, b in pairs))

    def added(ours: str, base: str) -> list[float]:
        pairs = zip(cpu(f"with {ours}"), cpu(f"without {base}"), strict=True)
        return [a - b for a, b in pairs]

    answered, by_clock = (
        statistics.median(getattr(one, of) for one in spent["sign"]) for of in ("cpu", "clock")
    )
    grown = statistics.median(_memory(GUARD) / _memory("pass") for _ in range(rounds(ROUNDS)))
    return Group(
        title="Start",
        unit="python -c pass",
        rows=[
            Row("`python -c pass`", bare, 1.0),
            row("`python -c 'import click'`", cpu("click")),
            *(
                row(f"added by `{ours}`{_after(base)}", added(ours, base))
                for ours, base in IMPORTS.items()
            ),
            row("`edgeauth sign`, whole process", cpu("sign")),
            Row("`edgeauth sign`, to 150 ms", None, answered / SIGN_LIMIT_SECONDS, 1.0),
            Row("`edgeauth sign` by the clock, to 150 ms", None, by_clock / SIGN_LIMIT_SECONDS),
            Row(f"resident memory with `{GUARD}`, to that without", None, grown),
        ],
        notes=["Whole processes, in turn: user and system time, the median."],
    )


def _after(base: str) -> str:
    return f" after `{base.removeprefix('import ')}`" if base else ""


def _both(base: str, ours: str) -> str:
    return f"{base}; {ours}" if base else ours


def _python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def _side_by_side(commands: dict[str, list[str]]) -> dict[str, list[Spent]]:
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    order = list(commands)
    for _ in range(rounds(ROUNDS)):
        random.shuffle(order)
        for name in order:
            spent[name].append(_run(commands[name]))
    return spent


def _run(command: list[str]) -> Spent:
    environ = {**os.environ, "EDGEAUTH_SECRET": "9bd1c6f0a7e84e25b3f7c1d09e5a4826"}
    # An installation is compiled. A checkout is after its first run, unless this forbids it.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        # Not Popen.wait: this one tells what the process itself used.
        _, status, used = os.wait4(process.pid, 0)
        clock = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Spent(used.ru_utime + used.ru_stime, clock)


def _memory(code: str) -> int:
    shown = subprocess.run(_python(f"{code}; {_MEMORY}"), check=True, stdout=subprocess.PIPE)
    return int(shown.stdout)

"""What importing edgeauth costs, in time and memory, and how soon the command answers."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from report import Group, Row

ROUNDS = 15
SIGN_LIMIT_SECONDS = 0.150

# Linux: proc(5). Not getrusage, whose maximum includes the process that forked this one.
_MEMORY = "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmRSS' in line))"

IMPORTS = {
    "edgeauth": "",
    "edgeauth.asgi": "",
    "edgeauth.wsgi": "",
    "edgeauth.flask": "flask",
    "edgeauth.django.middleware": "django.http",
    "edgeauth.starlette": "starlette.requests",
}


def group() -> Group:
    sign = Path(sys.executable).parent / "edgeauth"
    commands = {
        "python": _python("pass"),
        "sign": [str(sign), "sign"],
        # What the framework itself costs is not ours: it is loaded in both.
        **{f"with {name}": _python(_imports(base, name)) for name, base in IMPORTS.items()},
        **{f"without {base}": _python(_imports(base)) for base in set(IMPORTS.values())},
    }
    spent = _side_by_side(commands)
    python = spent["python"]

    def added(name: str) -> float:
        pairs = zip(spent[f"with {name}"], spent[f"without {IMPORTS[name]}"], strict=True)
        return statistics.median(a - b for a, b in pairs)

    bare = statistics.median(python)
    answered = statistics.median(spent["sign"])
    grown = statistics.median(_memory("import edgeauth") / _memory("pass") for _ in range(ROUNDS))
    return Group(
        title="Start",
        unit="python -c pass",
        rows=[
            Row("`python -c pass`", bare, 1.0),
            *(
                Row(f"added by `import {name}`{_after(base)}", added(name), added(name) / bare)
                for name, base in IMPORTS.items()
            ),
            Row("`edgeauth sign`, whole process", answered, answered / bare),
            Row("`edgeauth sign`, to 150 ms", None, answered / SIGN_LIMIT_SECONDS, 1.0),
            Row("resident memory with `import edgeauth`, to that without", None, grown),
        ],
        notes=["Wall time of whole processes; the median."],
    )


def _after(base: str) -> str:
    return f" after `{base}`" if base else ""


def _imports(*names: str) -> str:
    return "; ".join(f"import {name}" for name in names if name) or "pass"


def _python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def _environment() -> dict[str, str]:
    return {**os.environ, "EDGEAUTH_SECRET": "an-example-secret-of-32-bytes-ok"}


def _side_by_side(commands: dict[str, list[str]]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in commands}
    order = list(commands)
    for _ in range(ROUNDS):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            subprocess.run(
                commands[name], check=True, env=_environment(), stdout=subprocess.DEVNULL
            )
            spent[name].append(time.perf_counter() - start)
    return spent


def _memory(code: str) -> int:
    shown = subprocess.run(_python(f"{code}; {_MEMORY}"), check=True, stdout=subprocess.PIPE)
    return int(shown.stdout)

"""A mutant counts as killed if a test saw it, and never because none was asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TEST = "unit/test_digested_bodies.py"

# In a process of its own: it forks, and puts mutants into the place of functions.
TRY = """
import sys
from pathlib import Path
from types import SimpleNamespace
root = Path(sys.argv[1])
sys.path[:0] = [str(root), *(str(root / name) for name in ("mutation", "tests", "tools"))]
import trial
file, place, before, after, *tests = sys.argv[2:]
source = (root / "edgeauth" / file).read_text("utf-8")
assert before in source
mutant = SimpleNamespace(place=place, source=source.replace(before, after))
print(*(fate.name for fate in trial.tried_in_place(file, [mutant], tests)))
"""


@pytest.mark.parametrize(
    ("file", "place", "before", "after", "fate"),
    [
        pytest.param("digest.py", "nothing_comes", "", "", "SURVIVED", id="unchanged"),
        pytest.param(
            "digest.py", "nothing_comes", "return False", "return True", "KILLED", id="a function"
        ),
        pytest.param("asgi_body.py", "compared.called", "", "", "SURVIVED", id="unchanged, inner"),
        pytest.param(
            *("asgi_body.py", "compared.called", "await deny(scope", "await deny(None", "KILLED"),
            id="an inner function",
        ),
        pytest.param(
            "body.py",
            "Upload._cut",
            "_late = True",
            "_late = None",
            "SURVIVED",
            id="what no test calls",
        ),
    ],
)
def test_a_mutant_is_killed_by_a_test_that_calls_it(file, place, before, after, fate):
    tried = subprocess.run(
        [sys.executable, "-c", TRY, str(ROOT), file, place, before, after, TEST],
        capture_output=True,
        text=True,
        check=True,
    )
    assert tried.stdout.split() == [fate]

"""``PYTHONPATH=tests python fuzz/run.py TARGET [libFuzzer options]``: fuzzing by coverage.

Starts from fuzz/corpus/TARGET and keeps what reaches new code in .fuzz/TARGET. A finding is
written to .fuzz/TARGET/crash-… and ends the run with a status that is not 0; a copy of it in
the corpus is a regression test from then on.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edgeauth"]):
    from fuzz_targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path(__file__).parents[1] / ".fuzz"


def main() -> None:
    logging.getLogger("edgeauth").addHandler(logging.NullHandler())
    logging.getLogger("edgeauth").propagate = False
    name, *options = sys.argv[1:]
    found = FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    folders = [str(found), str(CORPUS / name)]
    artifacts = f"-artifact_prefix={found}/"
    atheris.Setup([sys.argv[0], *folders, artifacts, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

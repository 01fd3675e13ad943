"""``make soak``: exits 0 if every count agrees and nothing is leaked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from support.service import short_folder

from soak.document import show, write
from soak.stretches import Course, run
from soak.targets import TARGETS

_DOCUMENT = Path(__file__).parents[2] / "reports" / "soak.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="over all set-ups")
    options = parser.parse_args()
    courses = [_run(name, options.seconds / len(TARGETS)) for name in TARGETS]
    if any(course.problems for course in courses):
        return 1
    write(_DOCUMENT, courses, options.seconds)
    return 0


def _run(name: str, seconds: float) -> Course:
    with short_folder() as folder:
        course = run(name, seconds, folder)
    show(course)
    return course


if __name__ == "__main__":
    sys.exit(main())

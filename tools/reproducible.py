"""Builds the last commit twice, in different surroundings, and compares the files byte for byte.

Leaves the wheel and the source distribution in dist/. The two builds have other folders,
umasks, time zones, languages, hash seeds and times of their files; what they share is the
commit, its time as SOURCE_DATE_EPOCH, and the hatchling of requirements/dev.txt, whose version
is written into the wheel. A third build with another SOURCE_DATE_EPOCH must differ in both
files, or the comparison could not see a difference.

What was built is held to what package indexes ask for: twine and check-wheel-contents.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
A_DAY = 86_400


class Surroundings(NamedTuple):
    """What two builders of one commit do not have in common."""

    folder: str
    umask: int
    files_from: int
    variables: dict[str, str]


HERE = Surroundings(
    "here", 0o022, 1_000_000_000, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
)
ELSEWHERE = Surroundings(
    "some/where else",
    0o077,
    1_600_000_001,
    {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
)


def main() -> int:
    commit, time = git("log", "-1", "--format=%H %ct").split()
    epoch = int(time)
    print(f"commit {commit}, SOURCE_DATE_EPOCH={epoch}")
    if git("status", "--porcelain"):
        print("The work tree has changes; they are not in these files.")
    with tempfile.TemporaryDirectory(prefix="edgeauth-build-") as folder:
        home = Path(folder)
        first = build(home / "1", HERE, epoch)
        second = build(home / "2", ELSEWHERE, epoch)
        another_time = build(home / "3", HERE, epoch + A_DAY)
        DIST.mkdir(exist_ok=True)
        for file in first.values():
            shutil.copyfile(file, DIST / file.name)
        if different := differences(first, second):
            for file in second.values():
                shutil.copyfile(file, DIST / f"other-{file.name}")
            sys.exit(f"not reproducible: {different}; compare with dist/other-*")
        if differences(first, another_time) != sorted(first):
            sys.exit("another SOURCE_DATE_EPOCH gave the same bytes: this comparison is blind")
    check([DIST / name for name in first])
    for name in sorted(first):
        print(f"{digest(DIST / name)}  {name}")
    return 0


def check(files: list[Path]) -> None:
    """End where a package index, or whoever installs *files*, would find something wrong."""
    wheels = [file for file in files if file.suffix == ".whl"]
    run = Path(sys.executable).parent
    subprocess.run([run / "twine", "check", "--strict", *files], check=True)
    subprocess.run([run / "check-wheel-contents", *wheels], check=True, cwd=ROOT)


def build(home: Path, surroundings: Surroundings, epoch: int) -> dict[str, Path]:
    """Build a checkout of the last commit, away from this one; the files by name."""
    checkout = home / surroundings.folder
    subprocess.run(
        ["git", "clone", "--quiet", ROOT, checkout], check=True, umask=surroundings.umask
    )
    for path in checkout.rglob("*"):
        os.utime(path, (surroundings.files_from, surroundings.files_from))
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--quiet", "--no-isolation"),
            *("--outdir", home / "dist", checkout),
        ],
        env={**os.environ, **surroundings.variables, "SOURCE_DATE_EPOCH": str(epoch)},
        check=True,
        umask=surroundings.umask,
        stdout=subprocess.DEVNULL,
    )
    return {file.name: file for file in (home / "dist").iterdir()}


def differences(some: dict[str, Path], others: dict[str, Path]) -> list[str]:
    names = sorted(some.keys() | others.keys())
    return [
        name
        for name in names
        if name not in some or name not in others or digest(some[name]) != digest(others[name])
    ]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

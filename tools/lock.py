"""Keeps requirements/: every package of a development environment, with its hashes.

    python tools/lock.py make [--upgrade]    writes the locks; needs an index
    python tools/lock.py check               compares them with pyproject.toml; needs nothing

The locks are requirements files and not uv.lock or pylock.toml: those write down where each
file was downloaded, and where a package comes from is the business of who installs it.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path("requirements")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
)


class Lock(NamedTuple):
    """What a lock answers: the project with *extras* (None: without it), and *groups*.

    With *builds* it has what builds the project as well.
    """

    file: str
    groups: tuple[str, ...]
    extras: tuple[str, ...] | None = None
    same_versions_as: str | None = None
    builds: bool = True


LOCKS = (
    Lock("dev.txt", groups=("dev",), extras=("all",)),
    # Less than the whole of dev.txt, so that the demo is there soon.
    Lock("demo.txt", groups=("demo",), extras=("starlette", "flask"), same_versions_as="dev.txt"),
    # What the image of the decision service runs with.
    Lock(
        "serve.txt",
        groups=(),
        extras=("serve", "redis", "signatures", "tokens"),
        same_versions_as="dev.txt",
        builds=False,
    ),
    Lock("installer.txt", groups=("installer",), same_versions_as="dev.txt"),
    Lock("mutation.txt", groups=("mutation",), same_versions_as="dev.txt"),
    # For some platforms only.
    Lock("fuzz.txt", groups=("fuzz",)),
)


class Pin(NamedTuple):
    """One version of a package, and how many files of it may be installed."""

    requirement: Requirement
    hashes: int


def main(arguments: list[str]) -> int:
    match arguments:
        case ["make", *options]:
            for lock in LOCKS:
                make(lock, options)
            return report_problems()
        case ["check"]:
            return report_problems()
    print(__doc__, file=sys.stderr)
    return 2


def make(lock: Lock, options: list[str]) -> None:
    """Resolve *lock* for all platforms; what it has already stays, unless --upgrade is given."""
    project = () if lock.extras is None else ("pyproject.toml",)
    subprocess.run(
        [
            *(Path(sys.executable).parent / "uv", "pip", "compile", "--quiet"),
            *("--universal", "--python-version", PYTHONS[0], "--generate-hashes"),
            # Who installs says from where; with its extras a pin can be held to pyproject.toml.
            *("--no-emit-index-url", "--no-emit-find-links", "--no-strip-extras"),
            *("--custom-compile-command", "make lock"),
            *("--output-file", FOLDER / lock.file),
            *(("--constraint", FOLDER / lock.same_versions_as) if lock.same_versions_as else ()),
            *project,
            *(part for extra in lock.extras or () for part in ("--extra", extra)),
            *(part for group in lock.groups for part in ("--group", group)),
            *options,
        ],
        check=True,
    )


def report_problems() -> int:
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    problems = [problem for lock in LOCKS for problem in problems_of(lock, pyproject)]
    for problem in problems:
        print(f"requirements/{problem}", file=sys.stderr)
    if problems:
        print("Run make lock and commit what it changes.", file=sys.stderr)
    return 1 if problems else 0


def problems_of(lock: Lock, pyproject: dict) -> list[str]:
    """What pyproject.toml asks for and *lock* does not have, and what no lock may have."""
    text = (FOLDER / lock.file).read_text(encoding="utf-8")
    if "://" in text:
        return [f"{lock.file}: names a place to download from"]
    pins = list(read_pins(text))
    problems = [f"{lock.file}: {pin.requirement} has no hash" for pin in pins if not pin.hashes]
    for wanted, python, platform in product(asked_for(lock, pyproject), PYTHONS, PLATFORMS):
        environment = {"python_version": python, "python_full_version": f"{python}.0", **platform}
        if not applies(wanted, environment):
            continue
        found = [
            pin.requirement
            for pin in pins
            if canonicalize_name(pin.requirement.name) == canonicalize_name(wanted.name)
            and applies(pin.requirement, environment)
        ]
        if len(found) != 1 or not satisfies(found[0], wanted):
            has = ", ".join(map(str, found)) or "none"
            problems.append(
                f"{lock.file}: pyproject.toml asks for {wanted}, the lock has {has}"
                f" (Python {python}, {platform['sys_platform']})"
            )
    return problems


def read_pins(text: str) -> Iterator[Pin]:
    for entry in text.replace("\\\n", "").splitlines():
        if entry and not entry.lstrip().startswith("#"):
            requirement, *hashes = entry.split(" --hash=")
            yield Pin(Requirement(requirement.strip()), len(hashes))


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def satisfies(pin: Requirement, wanted: Requirement) -> bool:
    (exactly,) = pin.specifier
    return (
        exactly.operator == "=="
        and wanted.specifier.contains(exactly.version, prereleases=True)
        and wanted.extras <= pin.extras
    )


def asked_for(lock: Lock, pyproject: dict) -> Iterator[Requirement]:
    for group in lock.groups:
        yield from in_group(group, pyproject)
    if lock.extras is not None:
        # The project is installed without build isolation: what builds it is locked too.
        if lock.builds:
            yield from map(Requirement, pyproject["build-system"]["requires"])
        yield from map(Requirement, pyproject["project"]["dependencies"])
        for extra in lock.extras:
            yield from in_extra(extra, pyproject)


def in_group(name: str, pyproject: dict) -> Iterator[Requirement]:
    for entry in pyproject["dependency-groups"][name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from in_group(entry["include-group"], pyproject)


def in_extra(name: str, pyproject: dict) -> Iterator[Requirement]:
    for requirement in map(Requirement, pyproject["project"]["optional-dependencies"][name]):
        if requirement.name == pyproject["project"]["name"]:
            for extra in sorted(requirement.extras):
                yield from in_extra(extra, pyproject)
        else:
            yield requirement


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

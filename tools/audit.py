"""Asks whether a locked package has a known vulnerability, and says so when nobody answered.

    python tools/audit.py [--where-possible] [OPTION OF pip-audit]...

Ends with 0 when every pin of requirements/ was looked up and none is known to be vulnerable,
1 when one is or the service failed in between, 2 when it does not answer at all. With
--where-possible the last is 0 too, for machines that cannot reach the service; what was not
checked is told all the same.

pip-audit by itself passes over what the service does not know, and ends with 0 and "No known
vulnerabilities found" before a mirror that has the packages and not the advisories. So every
skip is a failure here (--strict), and a service must first tell a release known to be bad.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from lock import FOLDER, LOCKS, read_pins

# CVE-2014-0012, CVE-2016-10745, CVE-2019-10906 and later ones.
KNOWN_TO_BE_BAD = "jinja2==2.4.1"


def main(arguments: list[str]) -> int:
    where_possible = "--where-possible" in arguments
    options = [argument for argument in arguments if argument != "--where-possible"]
    asked = ask([KNOWN_TO_BE_BAD], options)
    if "known vulnerabilit" not in asked.stderr or not asked.returncode:
        print(asked.stderr or asked.stdout, file=sys.stderr)
        print(
            "NOT CHECKED: nothing is known about the vulnerabilities of requirements/. The"
            f" service did not tell that {KNOWN_TO_BE_BAD} is vulnerable: it cannot be reached"
            " from here, or it is a mirror without advisories. Run make audit elsewhere.",
            file=sys.stderr,
        )
        return 0 if where_possible else 2
    rounds = one_version_each()
    for pins in rounds:
        asked = ask(pins, options)
        print(asked.stdout, asked.stderr, sep="")
        if asked.returncode:
            return 1
    print(f"{sum(map(len, rounds))} pins of all platforms: no known vulnerability")
    return 0


def ask(pins: list[str], options: list[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        return subprocess.run(
            [
                *(Path(sys.executable).parent / "pip-audit", "--requirement", file.name),
                # All is pinned: nothing to resolve, nothing to download.
                *("--strict", "--no-deps", "--disable-pip", "--progress-spinner=off"),
                *options,
            ],
            check=False,
            capture_output=True,
            text=True,
        )


def one_version_each() -> list[list[str]]:
    """The pins of all locks, without markers; pip-audit takes one version of a package at once."""
    versions: dict[str, set[str]] = defaultdict(set)
    for lock in LOCKS:
        for pin in read_pins((FOLDER / lock.file).read_text(encoding="utf-8")):
            versions[pin.requirement.name].add(str(pin.requirement.specifier))
    rounds: list[list[str]] = []
    for name, specifiers in sorted(versions.items()):
        for number, specifier in enumerate(sorted(specifiers)):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(f"{name}{specifier}")
    return rounds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

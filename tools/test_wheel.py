"""Tests what users install: the wheel, away from its source, on every Python there is.

Builds the wheel once, or takes the one that is named. Then, for each Python from 3.11 up on
this machine, installs it into an environment of its own, with the newest dependencies and
again with the oldest that pyproject.toml allows, and runs the tests from a copy of the folders
beside the package. With --quick each Python runs once: the oldest with the oldest dependencies, the
others with the newest; the first alone is a corner then.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).parent / "uv"
OLDEST_PYTHON = (3, 11)

# What the tests read; the package itself stays behind.
BESIDE_THE_PACKAGE = (
    *("tests", "example_apps", "integrations", "docs", "reports", "fuzz", "benchmarks", "tools"),
    *("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("Makefile", "conftest.py", "pyproject.toml"),
)

# What each Python runs with each resolution. Real proxies and simulators see the wheel once, in
# the project's own environment.
SUITES = (
    "tests/unit",
    "tests/edge/test_snippet.py",  # the files that it prints are shipped as data
    "README.md",
    "docs",
)

# At the two corners, the oldest Python with the oldest dependencies and the newest with the
# newest, also every server, the properties, and what starts process after process: two
# thirds of the time. The other environments leave to these two the releases of dependencies, and
# to make test, which ci.yml runs on every Python, the Pythons between.
AT_THE_CORNERS = (
    "tests/properties",
    "tests/conformance",
    "tests/integrations/test_service.py",  # its server's releases differ where it matters
)
PROCESSES = (
    "--ignore-glob=*test_command_line_page*",
    "--ignore-glob=*test_console_script*",
    "--ignore-glob=*test_completion*",
    "--ignore-glob=*test_example_apps*",
    "--ignore-glob=*test_faults*",
    "--ignore-glob=*test_other_systems*",
    "--ignore-glob=*ops/cli/test_report*",
    "--ignore-glob=*doctor/test_app*",
)

# Needs nginx, which the environments of the wheel do not have; shows the words of pytest, which
# add a warning of the oldest Starlette; and changes or reads the source, which says nothing of the
# wheel.
APART = (
    "--ignore-glob=*test_nginx*",
    "--ignore-glob=*test_mutation_*",
    "--ignore-glob=*test_pages*",
    *(
        f"--deselect=tests/unit/ops/cli/test_command_line_page.py::{test}[{page}"
        for test in (
            "test_each_command_prints_what_the_page_says",
            "test_the_page_has_commands_and_each_was_run",
        )
        for page in ("cdn/nginx.md", "schemes/client-certificate.md", "guides/fastapi.md")
    ),
)

# As the Makefile has it: tests wait for servers as much as they compute.
PYTEST = ("-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")

RESOLUTIONS = ("highest", "lowest-direct")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("wheel", nargs="?", type=Path)
    arguments.add_argument("--quick", action="store_true")
    asked = arguments.parse_args()
    pythons = find_pythons()
    print("Pythons:", ", ".join(f"{major}.{minor}" for major, minor in pythons), flush=True)
    with tempfile.TemporaryDirectory(prefix="edgeauth-wheel-") as folder:
        home = Path(folder)
        wheel = look_into(asked.wheel.resolve() if asked.wheel else build(home))
        checkout = copy_tests(home)
        corners = [(min(pythons), "lowest-direct"), (max(pythons), "highest")]
        others = [run for run in product(pythons, RESOLUTIONS) if run not in corners]
        if asked.quick:
            # One that is alone has the newest as well.
            newest = list(pythons)[1:] or pythons
            corners, others = corners[:1], [(version, "highest") for version in newest]

        def run_passes(run: tuple[tuple[int, int], str]) -> bool:
            version, resolution = run
            python = pythons[version]
            return passes(wheel, checkout, version, python, resolution, whole=run in corners)

        # The longest first.
        with ThreadPoolExecutor(max_workers=3) as pool:
            passed = list(pool.map(run_passes, [*corners, *others]))
    return 0 if all(passed) else 1


def find_pythons() -> dict[tuple[int, int], Path]:
    """The CPythons on the path and under pyenv, one a minor version."""
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob("versions/*/bin"))
    found: dict[tuple[int, int], Path] = {}
    for folder in folders:
        for python in sorted(folder.glob("python3.[0-9]*")):
            named = re.fullmatch(r"python3\.(\d+)", python.name)
            version = (3, int(named[1])) if named else OLDEST_PYTHON
            # pyenv has names for Pythons that do not run, and takes its time to say so.
            if named and version >= OLDEST_PYTHON and version not in found and runs(python):
                found[version] = python
    return dict(sorted(found.items()))


def runs(python: Path) -> bool:
    """Whether *python* runs and has what environments are made of."""
    asked = subprocess.run([python, "-c", "import venv"], capture_output=True, check=False)
    return asked.returncode == 0


def build(home: Path) -> Path:
    """Build the wheel, by way of the source distribution."""
    argv = [sys.executable, "-m", "build", "--installer=uv", "--outdir", home / "dist", ROOT]
    subprocess.run(argv, check=True)
    (wheel,) = (home / "dist").glob("*.whl")
    return wheel


def look_into(wheel: Path) -> Path:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    if packages != {"edgeauth"}:
        sys.exit(f"the wheel must hold edgeauth alone, not {sorted(packages)}")
    return wheel


def copy_tests(home: Path) -> Path:
    checkout = home / "checkout"
    checkout.mkdir()
    for name in BESIDE_THE_PACKAGE:
        source = ROOT / name
        if source.is_dir():
            skipped = shutil.ignore_patterns("__pycache__", "node_modules", "target", ".venv*")
            shutil.copytree(source, checkout / name, ignore=skipped)
        elif source.exists():
            shutil.copy(source, checkout / name)
    return checkout


def passes(
    wheel: Path,
    checkout: Path,
    version: tuple[int, int],
    python: Path,
    resolution: str,
    *,
    whole: bool,
) -> bool:
    """Whether the suites (*whole*: all of them) pass with *wheel*; prints what they say."""
    environment = checkout.parent / f"{python.name}-{resolution}"
    interpreter = environment / "bin" / "python"
    uv("venv", "--python", python, environment)
    uv(
        *("pip", "install", "--python", interpreter, "--resolution", resolution),
        *("--requirements", checkout / "pyproject.toml", "--extra", "all"),
        *("--group", f"{checkout / 'pyproject.toml'}:test"),
        *("--group", f"{checkout / 'pyproject.toml'}:servers"),
    )
    uv("pip", "install", "--python", interpreter, "--no-deps", wheel)
    where = subprocess.run(
        [interpreter, "-I", "-c", "import edgeauth; print(edgeauth.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=checkout,
    ).stdout
    if not Path(where).is_relative_to(environment):
        sys.exit(f"edgeauth was imported from {where}, not from the wheel")
    suites = (*SUITES, *AT_THE_CORNERS) if whole else (*SUITES, *PROCESSES)
    tests = subprocess.run(
        [interpreter, "-m", "pytest", *PYTEST, *suites, *APART],
        cwd=checkout,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = tests.stdout if tests.returncode else tests.stdout.splitlines()[-1]
    print(f"\n=== Python {version[0]}.{version[1]}, {resolution} dependencies\n{said}", flush=True)
    return tests.returncode == 0


def uv(*arguments: str | Path) -> None:
    # The shell's own environment must not be taken for the one that is meant.
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([UV, *arguments, "--quiet"], check=True, env=variables)


if __name__ == "__main__":
    sys.exit(main())

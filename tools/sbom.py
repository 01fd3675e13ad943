"""Writes what the wheel in dist/ runs with: a CycloneDX file for the bare wheel and each extra.

The wheel holds edgeauth's own files alone and its dependencies are resolved where it is
installed, so the files stand beside it and not in its .dist-info/sboms (PEP 770 is for what a
wheel bundles). Listed are the versions of requirements/dev.txt, with which the release was
tested, as this Python and platform install them; each file names the wheel by its hash.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

BIN = Path(sys.executable).parent
DIST = Path("dist")
SBOMS = DIST / "sbom"


def main() -> int:
    wheels = list(DIST.glob("edgeauth-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"dist/ must hold one wheel, not {len(wheels)}: run make reproducible")
    (wheel,) = wheels
    SBOMS.mkdir(exist_ok=True)
    for old in SBOMS.iterdir():
        old.unlink()
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in (None, *sorted(project["optional-dependencies"])):
        document = describe(wheel, extra)
        if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(document):
            sys.exit(f"extra {extra}: not CycloneDX 1.6: {error}")
        version = wheel.name.split("-")[1]
        file = SBOMS / f"edgeauth-{version}{f'-{extra}' if extra else ''}.cdx.json"
        file.write_text(document, encoding="utf-8")
        print(f"{file}: {len(json.loads(document)['components'])} packages")
    return 0


def describe(wheel: Path, extra: str | None) -> str:
    """The SBOM of an environment that has *wheel* with *extra* and nothing else."""
    with tempfile.TemporaryDirectory(prefix="edgeauth-sbom-") as folder:
        environment = Path(folder)
        uv("venv", "--python", sys.executable, "--clear", environment)
        wanted = f"edgeauth[{extra}]" if extra else "edgeauth"
        uv(
            *("pip", "install", "--python", environment / "bin" / "python"),
            *("--constraint", "requirements/dev.txt", f"{wanted} @ {wheel.resolve().as_uri()}"),
        )
        made = subprocess.run(
            [
                *(BIN / "cyclonedx-py", "environment", environment),
                *("--pyproject", "pyproject.toml", "--mc-type", "library"),
                *("--spec-version", "1.6", "--output-reproducible"),
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    document = json.loads(made.stdout)
    # Not in pyproject.toml, from where these lines are filled: the version is dynamic.
    version = wheel.name.split("-")[1]
    document["metadata"]["component"] |= {
        "version": version,
        "purl": f"pkg:pypi/edgeauth@{version}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
    }
    return json.dumps(document, indent=2) + "\n"


def uv(*arguments: str | Path) -> None:
    subprocess.run([BIN / "uv", *arguments, "--quiet"], check=True)


if __name__ == "__main__":
    sys.exit(main())

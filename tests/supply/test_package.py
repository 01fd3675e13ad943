"""What is built is what package indexes ask for, says where it is tested, and runs as installed."""

from __future__ import annotations

import email.policy
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from reproducible import check

import edgeauth

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a wheel and a source distribution of this work tree."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


def build(source: Path, folder: Path, *more: str) -> None:
    argv = [sys.executable, "-m", "build", "--quiet", "--no-isolation", *more]
    subprocess.run(
        [*argv, "--outdir", folder, source],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def metadata(wheel: Path) -> email.message.EmailMessage:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name), policy=email.policy.default)


def description(found: email.message.EmailMessage) -> str:
    return found.get_payload(decode=True).decode()


def test_wheel_and_source_distribution_pass_what_package_indexes_ask_for(built):
    check([*built.iterdir()])


def test_what_is_wrong_ends_the_release(built, tmp_path):
    wheel = only(built, "*.whl")
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(tmp_path / wheel.name, "w") as other:
        for name in whole.namelist():
            more = b"tests/__init__.py,,\n" if name.endswith("/RECORD") else b""
            other.writestr(name, whole.read(name) + more)
        other.writestr("tests/__init__.py", "import this\n")

    with pytest.raises(subprocess.CalledProcessError):
        check([tmp_path / wheel.name])


def test_the_package_names_one_repository_as_readme_and_the_site_do(built):
    found = metadata(only(built, "*.whl"))
    named = dict(line.split(", ", 1) for line in found.get_all("Project-URL"))
    links = re.findall(r"^\[.*\]: (https://github\.com/[^/]+/[^/]+)/", readme(), re.MULTILINE)
    site = re.search(
        r'^repository = "(.*)"', (ROOT / "docs/conf.py").read_text("utf-8"), re.MULTILINE
    )

    assert set(named) == {"Documentation", "Source", "Changelog", "Issues", "Security"}
    assert {url[: len(named["Source"])] for url in named.values()} == {named["Source"]}
    assert {site[1], *links} == {named["Source"]}
    for name in ("Documentation", "Changelog"):
        assert (ROOT / named[name].partition("/blob/main/")[2]).is_file()


def test_the_package_has_its_version_and_readme(built):
    found = metadata(only(built, "*.whl"))
    assert found["Version"] == edgeauth.__version__
    assert found["Description-Content-Type"] == "text/markdown"
    assert description(found).strip() == readme().strip()


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_a_wheel_of_the_source_distribution_has_the_same_metadata(built, tmp_path):
    with tarfile.open(only(built, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    build(only(tmp_path, "edgeauth-*"), tmp_path, "--wheel")

    again, first = (metadata(only(folder, "*.whl")) for folder in (tmp_path, built))
    assert again.as_string() == first.as_string()


def test_the_classifiers_are_the_pythons_and_djangos_that_are_tested():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    (pythons,) = re.findall(r"python: \[(.*)\]", workflow)
    lock = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    djangos = set(re.findall(r"^django==(\d+\.\d+)", lock, re.MULTILINE))

    assert classified("Programming Language :: Python :: 3.") == set(re.findall(r"3\.\d+", pythons))
    assert classified("Framework :: Django :: ") == djangos


def classified(prefix: str) -> set[str]:
    found = (one for one in PROJECT["classifiers"] if one.startswith(prefix))
    return {one.rpartition(" :: ")[2] for one in found}


def test_the_changelog_begins_with_this_version():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first = re.search(r"^## (\S+)", text, re.MULTILINE)
    assert first[1].rstrip(",") == edgeauth.__version__


def test_installed_from_the_wheel_the_command_runs(built, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run(
        [
            programs / "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            only(built, "*.whl"),
        ],
        check=True,
    )

    def run(*args: str, **variables: str) -> str:
        env = {"PATH": os.environ["PATH"], **variables}
        return subprocess.run(
            [programs / "edgeauth", *args],
            cwd=tmp_path,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert run("--version") == f"edgeauth, version {edgeauth.__version__}\n"
    assert "Commands:" in run("-h")
    assert "bad-signature" in run("help", "reasons")
    assert "sign_string" in run("help", "settings")
    assert "_edgeauth_completion" in run(_EDGEAUTH_COMPLETE="bash_source")
    words = {"COMP_WORDS": "edgeauth veri", "COMP_CWORD": "1"}
    assert run(**words, _EDGEAUTH_COMPLETE="bash_complete") == "plain,verify\n"
    assert "unset req.http" in run("snippet", "vcl", "--dictionary", "keys")

"""Fastly VCL for falco: what a real service adds (backend, dictionary), and a running POP."""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING

from support import edge_tools
from support.processes import HOST, Listening, free_port, running

if TYPE_CHECKING:
    from pathlib import Path

VCL = edge_tools.FASTLY / "vcl"


def service(
    main: str,
    *,
    port: int = 8000,
    secret: str | None,
    dictionary: str = "edge_auth",
    item: str = "secret",
) -> str:
    """*main* with the declarations that the service generates from its settings."""
    items = "" if secret is None else f'"{item}": "{secret}",'
    return (
        f"table {dictionary} {{ {items} }}\n"
        f'backend origin {{ .host = "{HOST}"; .port = "{port}"; }}\n'
        f"{main}"
    )


def generated() -> str:
    """What the vendor makes of snippets: those of type init first, the others at their macros."""
    subs = ""
    for name in ("recv", "miss", "pass"):
        snippet = (VCL / "snippets" / f"{name}.vcl").read_text()
        subs += f"sub vcl_{name} {{\n  #FASTLY {name}\n  {snippet}}}\n"
    return f'include "edgeauth";\n{subs}'


def lint(program: Path, text: str, folder: Path, *includes: Path) -> list[str]:
    """What falco, at its strictest, says of *text*.

    Declarations without a use are left out: the service uses the backend, and not every
    service upgrades.
    """
    file = folder / "service.vcl"
    file.write_text(text)
    argv = [program, "-vv", *(part for path in includes for part in ("-I", path)), file]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
    output = done.stdout + done.stderr
    assert "errors, " in output, f"falco did not lint:\n{output}"
    return [
        line
        for line in output.splitlines()
        if re.search(r"\[(ERROR|WARNING|INFO)\]", line) and "(unused/declaration)" not in line
    ]


def unit_test(file: Path) -> str:
    """What falco reports of the ``.test.vcl`` beside *file*."""
    argv = [edge_tools.falco(), "test", "-I", VCL, file]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=file.parent)
    # It colours what it says where CI runs.
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@contextlib.contextmanager
def pop(folder: Path, text: str, *, report: bool = False, overrides: str = ""):
    """falco serving *text*.

    With *report* it answers with the way that the request took. *overrides* are lines of
    YAML: variables whose value only a real POP knows.
    """
    port = free_port()
    home = folder / f"pop-{port}"
    home.mkdir()
    (home / "service.vcl").write_text(text)
    settings = f"simulator:\n  port: {port}\n"
    if overrides:
        settings += f"  overrides:\n    {overrides}\n"
    (home / ".falco.yml").write_text(settings)
    argv = [edge_tools.falco(), "simulate", "-I", VCL, *([] if report else ["--proxy"])]
    log = home / "falco.log"
    with running([*argv, home / "service.vcl"], address=(HOST, port), log=log, cwd=home):
        yield Listening(port, log)

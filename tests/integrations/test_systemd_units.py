"""The units: systemd finds no fault in them and calls them confined; an app gets its credential."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import flask
import pytest
from support.booted import Booted, booted, require_systemd
from support.programs import program
from support.service import one, question, short_folder

import edgeauth

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

FOLDER = Path(__file__).parents[2] / "integrations" / "systemd"
SECRET = "the-credential-of-the-shop"
NEW = "the-next-credential-of-the-shop"

# In tenths: 12 is "1.2 OK". What none of them can leave out is a network and a root.
EXPOSURE = {"shop.service": 15, "edgeauth.service": 15, "edgeauth-addresses.service": 20}

# A program as pip writes it, with the packages of the tests.
PROGRAM = """#!/usr/bin/python3.11
import sys
sys.path[:0] = ["/opt/shop", "/opt/lib", "/opt/source"]
from {module} import {name}
sys.exit({name}())
"""


def units(*suffixes: str) -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir() if path.suffix in suffixes)


def here(name: str, folder: Path) -> Path:
    """The unit *name* with programs and users that this machine has."""
    text = (FOLDER / name).read_text()
    text = re.sub(r"/opt/\w+/bin/\w+", "/bin/true", text)
    text = re.sub(r"^(User|Group)=.*$", r"\1=daemon", text, flags=re.MULTILINE)
    text = text.replace("WorkingDirectory=/opt/shop", "WorkingDirectory=/")
    path = folder / name
    path.write_text(text)
    return path


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze", package="systemd"), *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_no_fault_in_any_unit(tmp_path: Path):
    paths = [here(name, tmp_path) for name in units(".service", ".socket", ".timer")]

    done = analyze("verify", "--man=no", *paths)

    ours = [line for line in done.stderr.splitlines() if any(path.name in line for path in paths)]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", units(".service"))
def test_systemd_calls_every_service_confined(name: str, tmp_path: Path):
    done = analyze(
        "security", "--offline=true", f"--threshold={EXPOSURE[name]}", here(name, tmp_path)
    )

    assert done.returncode == 0, done.stdout


def test_systemd_would_call_a_service_exposed_that_may_do_anything(tmp_path: Path):
    unit = tmp_path / "open.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")

    assert analyze("security", "--offline=true", "--threshold=20", unit).returncode == 1


FLASK = """
from flask import Flask
from edgeauth.flask import EdgeAuth

app = Flask("shop")
EdgeAuth(app)
app.add_url_rule("/", view_func=lambda: "hello")
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware

routes = [Route("/", lambda request: PlainTextResponse("hello"))]
app = EdgeAuthMiddleware(Starlette(routes=routes), guard=Guard.from_settings())
"""


def command_of(server: str) -> str:
    """What the unit starts, or what its README says to start in the place of it."""
    file = {"gunicorn": "shop.service", "uvicorn": "README.md"}[server]
    [line] = re.findall(rf"ExecStart=(/opt/shop/bin/{server} [^`\n]*)", (FOLDER / file).read_text())
    return line


def running(
    folder: Path, units: dict[str, str], files: dict[str, str]
) -> AbstractContextManager[Booted]:
    """systemd with our packages in /opt, whose shop.service and such can say what they print."""
    said = (
        "[Service]\nStandardOutput=append:/run/shared/said\nStandardError=append:/run/shared/said\n"
    )
    units = {name: text.replace("[Service]\n", said) for name, text in units.items()}
    opt = {"lib": Path(flask.__file__).parents[1], "source": Path(edgeauth.__file__).parents[1]}
    return booted(folder, next(iter(units)), units, files, opt)


def shipped(name: str, **changed: str) -> str:
    """The text of the unit *name*; its socket is where the test can see it."""
    text = (FOLDER / name).read_text()
    text = re.sub("^ListenStream=.*$", "ListenStream=/run/shared/sock", text, flags=re.MULTILINE)
    for setting, value in changed.items():
        text, times = re.subn(f"^{setting}=.*$", f"{setting}={value}", text, flags=re.MULTILINE)
        assert times == 1
    return text


def signed(secret: str = SECRET) -> bytes:
    return question(("Edge-Auth", edgeauth.sign(secret, pop="LHR")))


SERVERS = {
    "gunicorn": (FLASK, "gunicorn.app.wsgiapp", "run", "notify"),
    "uvicorn": (STARLETTE, "uvicorn", "main", "exec"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_systemd_starts_an_app_and_hands_it_its_secrets_as_a_credential(server: str):
    require_systemd()
    app, module, name, kind = SERVERS[server]
    changed = {"ExecStart": command_of(server), "Type": kind}
    doctor = {"ExecStart": "/opt/shop/bin/edgeauth doctor", "Type": "oneshot"}
    units = {
        "start.target": "[Unit]\nRequires=shop.socket shop.service\nAfter=shop.service\n",
        "shop.socket": shipped("shop.socket"),
        "shop.service": shipped("shop.service", **changed),
        "doctor.service": shipped("shop.service", **doctor, Restart="no").replace(
            "[Service]\n", "[Service]\nSuccessExitStatus=1\n"
        ),
    }
    files = {
        "/opt/shop/shop.py": app,
        f"/opt/shop/bin/{server}": PROGRAM.format(module=module, name=name),
        "/opt/shop/bin/edgeauth": PROGRAM.format(module="edgeauth.ops.cli", name="main"),
        "/etc/shop/edgeauth.toml": 'exempt = ["GET /healthz"]\n',
        "/etc/shop/edge-secrets": f"edge-2026-11:{SECRET}\n",
    }
    with short_folder() as folder, running(folder, units, files) as systemd:
        socket = str(systemd.run / "sock")
        assert one(socket, signed()).status == 200
        assert one(socket, question()).status == 403

        systemd.write("/etc/shop/edge-secrets", f"edge-2026-12:{NEW}\n")
        assert one(socket, signed()).status == 200
        systemd.systemctl("restart", "shop.service")
        assert one(socket, signed(NEW)).status == 200
        assert one(socket, signed()).status == 403

        systemd.systemctl("start", "doctor.service")
        said = (systemd.run / "said").read_text()
        assert re.search(r"found\n|^Nothing", said, re.MULTILINE), said
        assert "edge-secrets" not in said
        assert "rror" not in said


def test_systemd_starts_the_decision_service_and_reloads_it():
    require_systemd()
    units = {
        "start.target": "[Unit]\nRequires=edgeauth.service\nAfter=edgeauth.service\n",
        "edgeauth.socket": shipped("edgeauth.socket"),
        # Whose user and group this machine has.
        "edgeauth.service": shipped("edgeauth.service", User="daemon", Group="root"),
    }
    config = (FOLDER / "edgeauth.toml").read_text()
    files = {
        "/opt/edgeauth/bin/edgeauth": PROGRAM.format(module="edgeauth.ops.cli", name="main"),
        "/etc/edgeauth/edgeauth.toml": config,
        "/etc/edgeauth/secrets": f"edge-2026-11:{SECRET}\n",
    }
    with short_folder() as folder, running(folder, units, files) as systemd:
        socket = str(systemd.run / "sock")
        assert one(socket, signed()).status == 204
        assert one(socket, question()).status == 403

        systemd.write("/etc/edgeauth/secrets", f"edge-2026-12:{NEW}\n")
        systemd.systemctl("reload", "edgeauth.service")
        assert "generation 2 is in force" in systemd.systemctl("status", "edgeauth.service")
        assert one(socket, signed(NEW)).status == 204
        assert one(socket, signed()).status == 403

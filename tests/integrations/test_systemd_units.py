"""The units: systemd finds no fault in them and calls them confined; an app gets its credential."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import running
from support.programs import missing, program
from support.service import one, question, short_folder

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / "integrations" / "systemd"
SCRIPTS = Path(sysconfig.get_path("scripts"))
SECRET = "the-credential-of-the-shop"

# In tenths: 12 is "1.2 OK". What none of them can leave out is a network and a root.
EXPOSURE = {"shop.service": 15, "edgeauth.service": 15, "edgeauth-addresses.service": 20}

# What systemd does before it starts a unit with a credential: a copy that its user alone may read,
# in a file system in memory, which is mounted read-only. The user here is root without its rights.
HAND_OVER = """
set -eu
folder=$1 secrets=$2; shift 2
mount -t ramfs -o mode=0700 ramfs "$folder"
cp "$secrets" "$folder/edge-secrets"
chmod 0400 "$folder/edge-secrets"
chmod 0500 "$folder"
mount -o remount,bind,ro "$folder"
exec "$@"
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


def environment(text: str, credentials: Path) -> Mapping[str, str]:
    """The variables of a unit, with its folder of credentials in the place of ``%d``."""
    lines = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    return dict(line.replace("%d", str(credentials)).split("=", 1) for line in lines)


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


def command_of(server: str) -> list[str]:
    """What the unit starts, or what its README says to start in the place of it."""
    file = {"gunicorn": "shop.service", "uvicorn": "README.md"}[server]
    [line] = re.findall(rf"ExecStart=(/opt/shop/bin/{server} [^`\n]*)", (FOLDER / file).read_text())
    return shlex.split(line)


@pytest.mark.parametrize(("server", "app"), [("gunicorn", FLASK), ("uvicorn", STARLETTE)])
def test_an_app_gets_its_secrets_as_a_credential_and_keeps_the_socket(server: str, app: str):
    if os.geteuid() != 0:
        missing("what systemd mounts is mounted by root here")
    text = (FOLDER / "shop.service").read_text()
    listen = re.search(r"^ListenStream=(.*)$", (FOLDER / "shop.socket").read_text(), re.MULTILINE)
    assert listen
    assert "LoadCredential=edge-secrets:/etc/shop/edge-secrets\n" in text
    with short_folder() as folder:
        credentials, secrets = folder / "credentials", folder / "edge-secrets"
        credentials.mkdir()
        secrets.write_text(f"edge-2026-11:{SECRET}\n")
        (folder / "edgeauth.toml").write_text('exempt = ["GET /healthz"]\n')
        (folder / "shop.py").write_text(app)
        variables = {
            **environment(text, credentials),
            "EDGEAUTH_CONFIG": str(folder / "edgeauth.toml"),
        }
        confined = [
            *(program("setpriv", package="util-linux"), "--no-new-privs"),
            *("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"),
        ]
        start = [
            *(program("unshare", package="util-linux"), "--mount", "sh", "-c", HAND_OVER, "-"),
            *(credentials, secrets),
        ]

        socket = str(folder / "app.sock")
        command = [
            *(program("systemd-socket-activate", package="systemd"), "--listen", socket),
            *(f"--setenv={name}={value}" for name, value in variables.items()),
            *(*confined, sys.executable, SCRIPTS / server, *command_of(server)[1:]),
        ]
        with running([*start, *command], address=socket, log=folder / "log", cwd=folder):
            signed = question(("Edge-Auth", edgeauth.sign(SECRET, pop="LHR")))

            assert one(socket, signed).status == 200
            assert one(socket, question()).status == 403

        # The folder here has nothing: the copy was in the unit's own file system.
        assert not list(credentials.iterdir())
        doctor = [*start, *confined, sys.executable, SCRIPTS / "edgeauth", "doctor"]
        done = subprocess.run(
            doctor, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        assert "edge-secrets" not in done.stdout

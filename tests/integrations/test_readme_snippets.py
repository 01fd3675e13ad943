"""Each framework is guarded by the snippet of README.md alone, copied as a newcomer would."""

from __future__ import annotations

import re
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST, free_port, running
from support.wire import answers, converse

from edgeauth import sign

if TYPE_CHECKING:
    from collections.abc import Callable

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SECRET = "IZLsQb2X9VKsFbbgGB9tX0Mq"


def snippet(*marks: str) -> str:
    """The first Python block of README.md in which each of *marks* stands."""
    return next(block for block in BLOCKS if all(mark in block for mark in marks))


def uvicorn(app: str, port: int) -> tuple[str, ...]:
    return ("uvicorn", app, f"--host={HOST}", f"--port={port}")


def gunicorn(app: str, port: int) -> tuple[str, ...]:
    return ("gunicorn", app, f"--bind={HOST}:{port}")


def is_guarded(folder: Path, command: tuple[str, ...], port: int, *, signed: int) -> None:
    """Start *command*: 403 without a credential, *signed* with one, and no error in the log."""

    def status(*fields: bytes) -> int:
        request = (
            b"GET / HTTP/1.1",
            b"Host: shop.example",
            b"Connection: close",
            *fields,
            b"",
            b"",
        )
        (answer,) = answers(converse((HOST, port), b"\r\n".join(request)), ("GET",))
        return answer.status

    log = folder / "log"
    with running(
        [sys.executable, "-m", *command],
        address=(HOST, port),
        log=log,
        cwd=folder,
        env={"EDGEAUTH_SECRET": SECRET},
    ):
        assert status() == HTTPStatus.FORBIDDEN
        assert status(b"Edge-Auth: " + sign(SECRET, pop="LHR").encode()) == signed
        assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("marks", "serve", "signed"),
    [
        # An app without a route says 404: the request reached it.
        pytest.param(["FastAPI()", "add_middleware"], uvicorn, HTTPStatus.NOT_FOUND, id="FastAPI"),
        pytest.param(["Flask("], gunicorn, HTTPStatus.NOT_FOUND, id="Flask"),
        pytest.param(["Litestar("], uvicorn, HTTPStatus.OK, id="Litestar"),
        pytest.param(["Quart("], uvicorn, HTTPStatus.NOT_FOUND, id="Quart"),
        pytest.param(["falcon.App()"], gunicorn, HTTPStatus.NOT_FOUND, id="Falcon"),
    ],
)
def test_the_app_of_the_snippet_answers_the_edge_and_nobody_else(
    marks: list[str],
    serve: Callable[[str, int], tuple[str, ...]],
    signed: int,
    tmp_path: Path,
):
    (tmp_path / "shop.py").write_text(snippet(*marks))
    port = free_port()

    is_guarded(tmp_path, serve("shop:app", port), port, signed=signed)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new Django project, its settings followed by the snippet."""
    made = [sys.executable, "-m", "django", "startproject", "shop", tmp_path]
    subprocess.run(made, check=True, timeout=60)
    settings = tmp_path / "shop" / "settings.py"
    with settings.open("a") as file:
        file.write("\nALLOWED_HOSTS = ['*']\n" + snippet("INSTALLED_APPS"))
    return tmp_path


def test_a_django_project_under_wsgi_answers_the_edge_and_nobody_else(project: Path):
    port = free_port()

    is_guarded(project, gunicorn("shop.wsgi:application", port), port, signed=HTTPStatus.OK)


def test_a_django_project_under_asgi_answers_the_edge_and_nobody_else(project: Path):
    (project / "shop" / "asgi.py").write_text(snippet("guarded(get_asgi_application())"))
    port = free_port()

    is_guarded(project, uvicorn("shop.asgi:application", port), port, signed=HTTPStatus.OK)

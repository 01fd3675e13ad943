"""The logger, and what configurations of logging do to it."""

from __future__ import annotations

import logging
import logging.config
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeauth._record.logger import EnabledLogger, logger

# As https://flask.palletsprojects.com/en/stable/logging/ has it.
OF_FLASK = """
from logging.config import dictConfig
dictConfig({
    "version": 1,
    "formatters": {"default": {
        "format": "[%(asctime)s] %(levelname)s in %(module)s: %(message)s",
    }},
    "handlers": {"wsgi": {
        "class": "logging.StreamHandler",
        "stream": "ext://flask.logging.wsgi_errors_stream",
        "formatter": "default"
    }},
    "root": {"level": "INFO", "handlers": ["wsgi"]}
})
"""
OF_A_FILE = """
import io, logging.config
logging.config.fileConfig(io.StringIO('''
[loggers]
keys=root
[handlers]
keys=screen
[formatters]
keys=
[logger_root]
level=INFO
handlers=screen
[handler_screen]
class=StreamHandler
args=()
'''))
"""

FLASK = """
from flask import Flask
from edgeauth.flask import EdgeAuth
app = Flask("site")
EdgeAuth(app)
app.add_url_rule("/", view_func=lambda: "in")
CONFIGURE
assert app.test_client().get("/").status_code == 200
"""
WSGI = """
from edgeauth.wsgi import EdgeAuthMiddleware
def site(environ, start_response):
    start_response("200 OK", [])
    return [b"in"]
app = EdgeAuthMiddleware(site)
CONFIGURE
from wsgiref.util import setup_testing_defaults
environ = {}
setup_testing_defaults(environ)
statuses = []
list(app(environ, lambda status, *_: statuses.append(status)))
assert statuses == ["200 OK"]
"""
ASGI = """
import asyncio
from edgeauth.asgi import EdgeAuthMiddleware
async def site(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})
app = EdgeAuthMiddleware(site)
CONFIGURE
sent = []
async def send(message):
    sent.append(message)
async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}
scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
    "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "scheme": "http",
    "headers": [], "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 80)}
asyncio.run(app(scope, receive, send))
assert sent[0]["status"] == 200
"""
DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
settings.configure(SECRET_KEY="k", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"])
urlpatterns = [path("", lambda request: HttpResponse("in"))]
django.setup()
from django.test import Client
client = Client()
client.handler.load_middleware()
CONFIGURE
assert client.get("/").status_code == 200
"""
ADAPTERS = {"flask": FLASK, "wsgi": WSGI, "asgi": ASGI, "django": DJANGO}


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "EDGEAUTH_SECRET": "c2b3a1e09f7d48655a1b0c9d8e7f6a5b",
            "EDGEAUTH_MODE": "report-only",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("configure", [OF_FLASK, OF_A_FILE], ids=["dictConfig", "fileConfig"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_configuration_after_the_import_does_not_hide_what_would_be_refused(adapter, configure):
    lines = run(ADAPTERS[adapter].replace("CONFIGURE", configure))
    told = [line for line in lines if "had disabled the logger edgeauth" in line]
    refused = [line for line in lines if "would refuse (report-only): reason='missing'" in line]
    assert (len(told), len(refused)) == (1, 1)


@pytest.fixture
def disabled():
    """A logger that a configuration has disabled."""
    name = "edgeauth.of_this_test"
    found = logging.getLogger(name)
    found.disabled = True
    yield EnabledLogger(found)
    found.disabled = False
    found.setLevel(logging.NOTSET)
    found.filters.clear()


def test_a_disabled_logger_is_enabled_and_told_of_once(disabled, caplog):
    for number in range(3):
        disabled.warning("line %d", number, extra={"edgeauth": {"number": number}})
    told, *lines = caplog.messages
    assert "had disabled the logger edgeauth.of_this_test" in told
    assert lines == ["line 0", "line 1", "line 2"]
    assert disabled.logger.disabled is False
    assert [record.edgeauth["number"] for record in caplog.records[1:]] == [0, 1, 2]


def test_a_line_is_of_the_place_that_wrote_it(disabled, caplog):
    disabled.error("here")
    assert Path(caplog.records[-1].pathname).name == Path(__file__).name


@pytest.mark.parametrize(
    "silence",
    [
        lambda found: found.setLevel(logging.CRITICAL),
        lambda found: found.addFilter(lambda _record: False),
    ],
    ids=["a level", "a filter"],
)
def test_what_an_operator_asked_for_by_name_stays(disabled, caplog, silence):
    silence(disabled.logger)
    disabled.error("not wanted")
    assert caplog.messages == []


def test_a_configuration_that_names_the_logger_is_left_alone():
    lines = run(
        ADAPTERS["wsgi"].replace(
            "CONFIGURE",
            "import logging.config\n"
            "logging.config.dictConfig({'version': 1, 'loggers': {'edgeauth': {'level': 100}}})\n",
        )
    )
    assert [line for line in lines if "refuse (report-only)" in line] == []
    assert not any("had disabled" in line for line in lines)


def test_everything_that_the_core_says_goes_through_it():
    assert logger.logger is logging.getLogger("edgeauth")
    package = Path(sys.modules["edgeauth"].__file__).parent
    core = [path for path in package.glob("*.py") if path.name != "log.py"]
    assert not [path.name for path in core if "getLogger(" in path.read_text()]

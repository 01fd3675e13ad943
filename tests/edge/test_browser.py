"""A browser, which cannot sign, reaches each example app through ``edgeauth edge``."""

from __future__ import annotations

import sys

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support import edge_tools
from support.processes import HOST, free_port, running
from support.programs import program
from support.vectors import SECRET

APPS = {
    "starlette": ["uvicorn", "example_apps.starlette_app.app:app", "--port", "{port}"],
    "fastapi": ["uvicorn", "example_apps.fastapi_app.app:app", "--port", "{port}"],
    "flask": ["gunicorn", "example_apps.flask_app.app:app", "--bind", "127.0.0.1:{port}"],
    "django-asgi": ["uvicorn", "example_apps.django_site.asgi:application", "--port", "{port}"],
    "django-wsgi": ["gunicorn", "example_apps.django_site.wsgi", "--bind", "127.0.0.1:{port}"],
}
WITH_WEBSOCKET = ["starlette", "fastapi"]

# Nothing is looked up outside of this machine.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
]

ECHO = """
const [text, done] = arguments;
const socket = new WebSocket(`ws://${location.host}/ws`);
socket.onopen = () => socket.send(text);
socket.onmessage = (message) => done(message.data);
socket.onerror = () => done("error");
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    driver = program("chromedriver", package="chromium-driver")
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        yield started


@pytest.fixture(scope="module", params=APPS)
def app(request, tmp_path_factory):
    """Where an example app listens, and the stand-in POP in front of it."""
    folder = tmp_path_factory.mktemp(request.param)
    env = {"EDGEAUTH_SECRET": SECRET}
    port, edge_port = free_port(), free_port()
    program, *options = APPS[request.param]
    argv = [sys.executable, "-m", program, *(option.format(port=port) for option in options)]
    edge = [sys.executable, "-m", "edgeauth", "edge", "--upstream", f"http://{HOST}:{port}"]
    with (
        running(
            argv,
            address=(HOST, port),
            log=folder / "app.log",
            cwd=edge_tools.REPOSITORY,
            env=env,
        ),
        running(
            [*edge, "--port", str(edge_port)],
            address=(HOST, edge_port),
            log=folder / "edge.log",
            env=env,
        ),
    ):
        yield f"http://{HOST}:{port}", f"http://{HOST}:{edge_port}"


def shown(browser) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def test_the_page_is_served_through_the_stand_in_and_not_past_it(browser, app):
    direct, edge = app
    browser.get(edge)
    WebDriverWait(browser, 30).until(lambda driver: "edge" in driver.title)
    assert "This request came through the edge" in shown(browser)
    assert "XXX" in shown(browser)
    browser.get(direct)
    assert "Forbidden" in shown(browser)


@pytest.mark.parametrize("app", WITH_WEBSOCKET, indirect=True)
def test_a_websocket_echoes_through_the_stand_in(browser, app):
    _, edge = app
    browser.get(edge)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(ECHO, "through the edge") == "through the edge"

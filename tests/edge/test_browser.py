"""A browser, which cannot sign, reaches each example app through ``edgeauth edge``."""

from __future__ import annotations

import sys

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support.browser import chromium
from support.example_apps import STARTS, UNDER_ASGI, serving
from support.processes import HOST, free_port, running
from support.vectors import SECRET

ECHO = """
const [text, done] = arguments;
const socket = new WebSocket(`ws://${location.host}/ws`);
socket.onopen = () => socket.send(text);
socket.onmessage = (message) => done(message.data);
socket.onerror = () => done("error");
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium"), loopback=True) as started:
        yield started


@pytest.fixture(scope="module", params=STARTS, ids=str)
def app(request, tmp_path_factory):
    """Where an example app listens, and the stand-in POP in front of it."""
    folder = tmp_path_factory.mktemp(request.param.folder)
    edge_port = free_port()
    with serving(request.param, folder) as port:
        upstream = f"http://{HOST}:{port}"
        argv = [sys.executable, "-m", "edgeauth", "edge", "--upstream", upstream]
        with running(
            [*argv, "--port", str(edge_port)],
            address=(HOST, edge_port),
            log=folder / "edge.log",
            env={"EDGEAUTH_SECRET": SECRET},
        ):
            yield upstream, f"http://{HOST}:{edge_port}"


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


@pytest.mark.parametrize("app", UNDER_ASGI, ids=str, indirect=True)
def test_a_websocket_echoes_through_the_stand_in(browser, app):
    _, edge = app
    browser.get(edge)
    browser.set_script_timeout(30)
    assert browser.execute_async_script(ECHO, "through the edge") == "through the edge"

"""Debian's Chromium, headless and without network but for, where that is asked, loopback."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver

from support.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,1400",
)

# No name resolves and no address is reached; or none but the one of loopback.
_NO_NETWORK = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9")
_LOOPBACK = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server")


@contextmanager
def chromium(profile: Path, *, loopback: bool = False) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own, in an empty folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    network = _LOOPBACK if loopback else _NO_NETWORK
    for argument in (*_ARGUMENTS, *network, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(program("chromedriver", package="chromium-driver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def requested(driver: webdriver.Chrome) -> list[str]:
    """The URLs that pages asked for since the last call."""
    events: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in driver.get_log("performance")
    ]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]

"""Debian's Chromium, headless and without network but for, where that is asked, loopback."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver

from support.edge_tools import axe
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


_PHONE = {"width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": True}

_AXE = (
    "const done = arguments[0];"
    "axe.run({resultTypes: ['violations']}).then(found => done(found.violations.map("
    "each => each.id + ': ' + each.nodes.map(node => node.html.slice(0, 120)).join(' | ')"
    ".slice(0, 400))))"
)

# What lies outside of the window, but for what scrolls in a box of its own.
_OVERFLOW = (
    "return [...document.querySelectorAll('body *')].filter(each => {"
    " const box = each.getBoundingClientRect();"
    " return box.width && (box.left < -0.5 || box.right > innerWidth + 0.5)"
    "  && !each.closest('.scroll table') })"
    ".map(each => each.outerHTML.slice(0, 120))"
    ".concat(document.documentElement.scrollWidth > innerWidth ? ['the page'] : [])"
)

_LABELS = (
    "return [...document.querySelectorAll('svg')].flatMap(picture => {"
    " const texts = [...picture.querySelectorAll('text')]"
    "  .map(each => [each.textContent, each.getBoundingClientRect()])"
    "  .filter(([_, box]) => box.width);"
    " return texts.flatMap(([one, a], place) => texts.slice(place + 1)"
    "  .filter(([_, b]) => a.left < b.right && b.left < a.right"
    "   && a.top + 3 < b.bottom && b.top + 3 < a.bottom)"
    "  .map(([other]) => one + ' / ' + other)) })"
)


def violations(driver: webdriver.Chrome, scheme: str) -> list[str]:
    """What axe-core finds in the page that is open, in the colours of *scheme*."""
    prefer(driver, scheme)
    driver.execute_script(axe().read_text("utf-8"))
    try:
        return driver.execute_async_script(_AXE)
    finally:
        prefer(driver, "light")


@contextmanager
def phone(driver: webdriver.Chrome) -> Iterator[None]:
    """The page that is open, on a narrow phone until the block ends."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", _PHONE)
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def overflow(driver: webdriver.Chrome) -> list[str]:
    """What of the page lies outside of the window."""
    return driver.execute_script(_OVERFLOW)


def labels_on_labels(driver: webdriver.Chrome) -> list[str]:
    """Pairs of labels in pictures that lie on one another."""
    return driver.execute_script(_LABELS)


def prefer(driver: webdriver.Chrome, scheme: str) -> None:
    """Open pages in light or dark from now on."""
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )

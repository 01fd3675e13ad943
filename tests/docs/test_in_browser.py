"""The site as people see it: a browser without network opens every page.

Light and dark, at the width of a phone, with the keyboard alone, and as axe-core judges it.
"""

from __future__ import annotations

import contextlib
import sys

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from support.browser import chromium, prefer, requested, violations
from support.processes import HOST, free_port, running

# One of each type of page; of each the longest tables and lines.
SAMPLE = (
    "index.html",
    "operating.html",
    "cdn/README.html",
    "servers.html",
    "reference/settings.html",
    "reference/metrics.html",
    "reference/commands.html",
    "reference/api/guard.html",
    "search.html",
)
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

WIDER_THAN_THE_SCREEN = "return document.documentElement.scrollWidth > innerWidth"
FOCUSED = (
    "const at = document.activeElement, style = getComputedStyle(at),"
    " box = at.getBoundingClientRect();"
    "return {text: (at.innerText || at.name || at.id).trim(), seen: box.width > 0 && box.height > 0"
    " && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,"
    " marked: style.outlineStyle !== 'none' && style.outlineWidth !== '0px'}"
)


@pytest.fixture(scope="module")
def address(site, tmp_path_factory):
    """Where the site is served, as a host of static files does."""
    port = free_port()
    argv = [sys.executable, "-m", "http.server", "--bind", HOST, "--directory", site, str(port)]
    with running(argv, address=(HOST, port), log=tmp_path_factory.mktemp("served") / "log"):
        yield f"http://{HOST}:{port}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium"), loopback=True) as started:
        started.set_script_timeout(30)
        yield started


@pytest.fixture(autouse=True)
def _as_it_was(browser):
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    prefer(browser, "light")


def brightness(browser):
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def test_every_page_fits_a_phone_and_the_console_is_silent(browser, address, site):
    pages = sorted(str(page.relative_to(site)) for page in site.rglob("*.html"))
    assert {*SAMPLE} <= {*pages}
    browser.get("about:blank")
    browser.get_log("browser")
    requested(browser)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    wide, alike, told = [], [], []
    for page in pages:
        browser.get(f"{address}/{page}")
        wide += [page] if browser.execute_script(WIDER_THAN_THE_SCREEN) else []
        light = brightness(browser)
        prefer(browser, "dark")
        alike += [page] if light < 600 or brightness(browser) > 200 else []
        prefer(browser, "light")
        told += [(page, entry["message"]) for entry in browser.get_log("browser")]
    assert (wide, alike, told) == ([], [], [])
    assert [url for url in requested(browser) if not url.startswith((address, "data:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", SAMPLE)
def test_axe_finds_nothing(browser, address, page, scheme):
    browser.get(f"{address}/{page}")
    assert violations(browser, scheme) == []


def test_what_is_wide_on_a_phone_scrolls_in_its_own_box(browser, address):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(f"{address}/servers.html")
    table = browser.find_element(By.CSS_SELECTOR, ".table-wrapper")
    moved = browser.execute_script(
        "arguments[0].scrollLeft = 1e4; return arguments[0].scrollLeft", table
    )
    assert moved > 50


def press(browser, *keys):
    """What has the focus afterwards, as soon as it is seen: it may come sliding."""
    browser.switch_to.active_element.send_keys(*keys)
    with contextlib.suppress(TimeoutException):
        wait(browser, lambda driver: driver.execute_script(FOCUSED)["seen"])
    return browser.execute_script(FOCUSED)


def wait(browser, condition):
    return WebDriverWait(browser, 10, poll_frequency=0.05).until(condition)


@pytest.mark.parametrize("width", [1400, 1100, 600])
def test_the_keyboard_goes_where_people_see_it(browser, address, width):
    browser.set_window_size(width, 1000)
    browser.get(f"{address}/operating.html")
    way = [press(browser, Keys.TAB) for _ in range(8)]
    assert [step for step in way if not (step["seen"] and step["marked"])] == []
    assert "Skip to content" in {step["text"] for step in way}


def test_the_keyboard_skips_to_the_text(browser, address):
    browser.set_window_size(1400, 1000)
    browser.get(f"{address}/operating.html")
    assert press(browser, Keys.TAB)["text"] == "Skip to content"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait(browser, lambda driver: driver.current_url.endswith("#furo-main-content"))
    assert browser.execute_script(
        "return document.querySelector(':target').getBoundingClientRect().top < innerHeight / 2"
    )


def test_the_keyboard_opens_the_navigation_of_a_narrow_window(browser, address):
    browser.set_window_size(600, 1000)
    browser.get(f"{address}/operating.html")
    assert press(browser, Keys.TAB)["text"] == "__navigation"
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    field = browser.find_element(By.CSS_SELECTOR, ".sidebar-search")
    wait(browser, lambda _: field.is_displayed() and field.rect["x"] >= 0)


@pytest.mark.parametrize("term", ["replay", "KeyRing", "EDGEAUTH_ADDRESSES_STALE_DAYS"])
def test_the_keyboard_reaches_the_search_which_finds_words_and_names(browser, address, term):
    browser.set_window_size(1400, 1000)
    browser.get(f"{address}/index.html")
    requested(browser)
    while press(browser, Keys.TAB)["text"] != "q":
        assert browser.switch_to.active_element.tag_name == "a"
    browser.switch_to.active_element.send_keys(term, Keys.ENTER)
    results = "#search-results li a"
    wait(browser, lambda driver: driver.find_elements(By.CSS_SELECTOR, results))
    browser.find_element(By.CSS_SELECTOR, results).send_keys(Keys.ENTER)
    wait(browser, lambda driver: "search.html" not in driver.current_url)
    assert term.lower() in browser.find_element(By.TAG_NAME, "article").text.lower()
    assert [url for url in requested(browser) if not url.startswith((address, "data:"))] == []

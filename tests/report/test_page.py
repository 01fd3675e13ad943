"""The page of a million decisions, in a real browser without network."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest
from selenium.webdriver.common.by import By
from support.browser import (
    chromium,
    labels_on_labels,
    overflow,
    phone,
    requested,
    violations,
)
from support.decision_logs import DAYS, write_decisions
from support.programs import program

DECISIONS = 1_000_000
TITLES = (
    "By reason",
    "Refused when enforced, over time by reason",
    "Refused when enforced, over time by sender",
    "Refused when enforced, by path",
    "By network of the peer",
    "By signing POP",
    "Age of authentic signatures (",
    "Age of authentic signatures by POP",
    "Keys seen (UTC)",
)


@dataclass
class Report:
    driver: object
    url: str
    terminal: str
    console: list
    urls: list


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page, open in the browser, and what the terminal says of the same file."""
    program("chromium")
    folder = tmp_path_factory.mktemp("report")
    log, page = folder / "decisions.jsonl", folder / "page.html"
    write_decisions(log, DECISIONS)
    done = subprocess.run(
        [sys.executable, "-m", "edgeauth", "report", log, "--html", page],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    log.unlink()
    with chromium(folder / "profile") as driver:
        driver.get("about:blank")
        requested(driver)  # what the browser's own first page asked for
        driver.get(page.as_uri())
        console, urls = driver.get_log("browser"), requested(driver)
        yield Report(driver, page.as_uri(), done.stdout, console, urls)


def rows_of_the_terminal(text):
    """The rows of its tables; a cell that was wrapped is put together again."""
    rows = []
    for line in text.splitlines():
        if not line.startswith("\u2502"):
            continue
        cells = [cell.strip() for cell in line.split("\u2502")[1:-1]]
        # A row that goes on has nothing in its column of numbers.
        if (
            rows
            and len(cells) == len(rows[-1])
            and not any(any(map(str.isdigit, c)) for c in cells)
        ):
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return rows


def rows_of_the_page(driver):
    return driver.execute_script(
        "return [...document.querySelectorAll('tbody tr')]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )


def test_it_asks_for_nothing_but_itself_and_the_console_is_silent(report):
    assert report.urls == [report.url]
    assert report.console == []
    assert report.driver.find_elements(By.CSS_SELECTOR, "script, link, img, iframe") == []


def test_the_answer_and_the_totals_are_those_of_the_terminal(report):
    words = " ".join(report.terminal.split())
    answer = report.driver.find_element(By.ID, "answer").text
    assert answer.startswith("Not safe to enforce: ")
    assert " ".join(answer.split()) in words
    totals = report.driver.find_elements(By.CSS_SELECTOR, "#overview div")
    assert len(totals) == 7
    for total in totals:
        value, name = (total.find_element(By.TAG_NAME, tag).text for tag in ("dd", "dt"))
        assert f"{name} {value}" in words
    assert "decisions 1,000,000 " in words


def test_the_figures_of_every_table_are_those_of_the_terminal(report):
    shown = rows_of_the_page(report.driver)
    assert len(shown) > 40
    assert shown == rows_of_the_terminal(report.terminal)
    titles = [title.text for title in report.driver.find_elements(By.TAG_NAME, "h2")]
    assert [title.startswith(start) for title, start in zip(titles, TITLES, strict=True)]


def test_the_bars_are_as_long_as_the_figures_say(report):
    """Read from the picture, in pixels as drawn."""
    drawn = report.driver.execute_script(
        "const height = kind => [...document.querySelectorAll("
        "'figure:has(#plot-timeline) rect.' + kind)]"
        ".map(bar => bar.getBoundingClientRect().height).reduce((a, b) => a + b, 0);"
        "return [height('accepted'), height('refused')]"
    )
    figures = dict(reversed(pair) for pair in totals(report.driver))
    accepted, refused = (
        int(figures[name].replace(",", "")) for name in ("accepted", "refused when enforced")
    )
    # Bars are drawn to a tenth of a pixel.
    assert drawn[1] / drawn[0] == pytest.approx(refused / accepted, rel=0.05)


def totals(driver):
    return [
        [each.find_element(By.TAG_NAME, tag).text for tag in ("dd", "dt")]
        for each in driver.find_elements(By.CSS_SELECTOR, "#overview div")
    ]


def test_the_window_is_drawn_and_what_is_outside_of_it_has_the_other_colour(report):
    places = report.driver.execute_script(
        "const figure = document.querySelector('figure:has(#plot-ages)');"
        "const at = selector => [...figure.querySelectorAll(selector)]"
        ".map(each => each.getBoundingClientRect());"
        "return {window: at('.window').map(r => [r.left, r.right])[0],"
        " accepted: at('rect.accepted').map(r => [r.left, r.right]),"
        " refused: at('rect.refused').map(r => [r.left, r.right])}"
    )
    left, right = places["window"]
    assert all(left - 1 <= bar[0] and bar[1] <= right + 1 for bar in places["accepted"])
    assert all(bar[0] >= right - 1 for bar in places["refused"])
    assert len(places["accepted"]) > 10 < len(places["refused"])


def test_each_plot_has_a_name_for_those_who_cannot_see_it(report):
    plots = report.driver.find_elements(By.TAG_NAME, "svg")
    assert len(plots) == 7
    assert all(plot.aria_role in {"img", "image"} and plot.accessible_name for plot in plots)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_bars_stand_out_in_light_and_dark(report, scheme):
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    report.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    page = colour(report.driver, "body", "backgroundColor")
    assert (sum(page) > 600) is (scheme == "light")
    for selector, style, least in (
        ("td", "color", 4.5),
        ("th", "color", 4.5),
        ("svg text", "fill", 4.5),
        ("rect.accepted", "fill", 3),
        ("rect.refused", "fill", 3),
    ):
        assert contrast(colour(report.driver, selector, style), page) >= least, selector


def colour(driver, selector, style):
    value = driver.execute_script(
        "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
        selector,
        style,
    )
    return tuple(int(part) for part in value.removeprefix("rgb(").removesuffix(")").split(","))


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb):
    red, green, blue = (
        part / 3294.6 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_axe_finds_nothing_in_light_and_dark(report):
    for scheme in ("light", "dark"):
        assert violations(report.driver, scheme) == []


def test_a_phone_shows_it_without_sideways_scrolling_and_no_label_lies_on_another(report):
    with phone(report.driver):
        assert overflow(report.driver) == []
        assert labels_on_labels(report.driver) == []


def test_what_strangers_do_hides_no_day_of_the_edge(report):
    """The row of each day; the edge's refusals are counted apart from those of 30,000 networks."""
    rows = report.driver.execute_script(
        "return [...document.querySelectorAll('#senders-over-time tr')]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert (rows[0][2], rows[0][-1], len(rows)) == ("the edge", "other networks", DAYS + 2)
    counts = [int(row[2].replace(",", "")) for row in rows[1:]]
    assert min(counts) > 0
    refused = rows_of_the_terminal(report.terminal)
    assert sum(counts) == sum(
        int(row[3].replace(",", "")) for row in refused if len(row) == 4 and row[0] == "the edge"
    )


def test_a_rotation_is_seen_in_the_lanes_of_the_keys(report):
    """The old key's bars end where the new one's begin, and each lane is a key."""
    bars = report.driver.execute_script(
        "return [...document.querySelectorAll('figure:has(#plot-keys) rect')]"
        ".map(bar => bar.getBoundingClientRect()).map(box => [box.left, box.right, box.bottom])"
    )
    old, new = (
        [bar for bar in bars if bar[2] == floor] for floor in sorted({bar[2] for bar in bars})
    )
    assert abs(max(bar[1] for bar in old) - min(bar[0] for bar in new)) < 25
    assert len(old) > 20 < len(new)

"""The page of a probe, in a real browser without network, of origins that mean harm as well."""

from __future__ import annotations

import re
import subprocess
import sys

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
from support.canned import canned
from support.processes import HOST
from support.programs import program

SECRET = "a-secret-of-the-probe-tests"
MARKUP = b"\"><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
HOSTILE = (
    b"HTTP/1.1 302 %b\r\nServer: %b\r\nSet-Cookie: %b\r\nLocation: /%b\x1b[2J\xff\r\n"
    b"Content-Type: text/html\r\n\r\n%b" % ((MARKUP,) * 5)
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program("chromium")
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def probed(tmp_path):
    """The page about an origin that answers so, and the status of the command."""

    def run(answer, *options, secret=SECRET, path="/page?token=of-the-url"):
        told = (lambda s: answer(s, server.heads[-1])) if callable(answer) else answer
        with canned(told) as server:
            argv = [sys.executable, "-m", "edgeauth", "probe", f"http://{HOST}:{server.port}{path}"]
            done = subprocess.run(
                [*argv, "--rate", "100", "--html", tmp_path / "page.html", *options],
                capture_output=True,
                text=True,
                check=False,
                env={"EDGEAUTH_SECRET": secret} if secret else {},
            )
        assert done.stderr == ""
        return tmp_path / "page.html", done.returncode

    return run


def rows(driver, table):
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map(row => [...row.cells].map(cell => cell.textContent))",
        f"#{table} tbody tr",
    )


def test_an_origin_that_answers_with_markup_gets_none_of_it_into_the_page(browser, probed):
    page, status = probed(HOSTILE)
    browser.get("about:blank")
    requested(browser)
    browser.get_log("browser")
    browser.get(page.as_uri())
    assert status == 1
    assert requested(browser) == [page.as_uri()]
    assert browser.get_log("browser") == []
    assert browser.title.startswith(f"edgeauth probe: http://{HOST}:")
    assert browser.find_elements(By.CSS_SELECTOR, "script, img, link, iframe, a, form") == []
    failed = rows(browser, "fail")
    assert failed[0][:2] == ["FAIL 302", "no credential"]
    # Shown as it was sent, as text.
    assert "<script>document.title" in failed[0][2]
    assert r"\x1b[2J\xff" in failed[0][2]


def test_it_fits_a_phone_and_axe_finds_nothing(browser, probed):
    page, _ = probed(HOSTILE)
    browser.get(page.as_uri())
    assert violations(browser, "light") == violations(browser, "dark") == []
    with phone(browser):
        assert overflow(browser) == labels_on_labels(browser) == []


def test_every_row_has_its_sentence_and_what_is_not_proved_is_said(browser, probed):
    page, status = probed(b"HTTP/1.1 403 No\r\n\r\n")
    browser.get(page.as_uri())
    assert status == 1
    answer = browser.find_element(By.ID, "answer").text
    assert answer == "Closed, but to the edge as well: 2 of 43 requests got no proper answer."
    told = [row for table in ("pass", "fail", "not-tried") for row in rows(browser, table)]
    assert len(told) == 44
    assert {row[0] for row in told} == {"PASS 403", "FAIL 403", "NOT TRIED"}
    assert [row for row in told if not re.fullmatch(r"[A-Z].{10,}\.", row[2])] == []
    limits = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".notes li")]
    assert limits[0].startswith("Requests that were not tried prove nothing: 1 ")
    assert len(limits) == 6
    facts = {
        each.find_element(By.TAG_NAME, "dt").text: each.find_element(By.TAG_NAME, "dd").text
        for each in browser.find_elements(By.CSS_SELECTOR, "#overview div")
    }
    assert facts["counts as a refusal"] == "401, 403"
    assert facts["origin"].endswith("/page?...")
    assert re.fullmatch(r"20[\d-]+ [\d:]+", facts["from (UTC)"])


@pytest.mark.parametrize(
    ("answer", "secret", "sentence"),
    [
        (b"HTTP/1.1 403 No\r\n\r\n", "", "Closed, as far as 29 requests show. Whether the edge"),
        (b"HTTP/1.1 200 OK\r\n\r\n", SECRET, "Not proven closed: 41 of 43 requests were not"),
    ],
)
def test_the_first_sentence_is_the_answer(probed, answer, secret, sentence):
    page, status = probed(answer, secret=secret)
    assert f'id="answer">{sentence}' in page.read_text()
    assert status == (b" 200 " in answer)


def test_a_credential_that_an_origin_sends_back_is_not_in_the_page(probed, tmp_path):
    sent = []

    def answer(stream, head):
        values = re.findall(rb"(?i)\r\nedge-auth: *([^\r]*)", head)
        sent.extend(re.findall(rb"(?:0x)?[0-9a-f]{40,}|[A-Za-z0-9+/]{43}=", b" ".join(values)))
        place = (b"/%b" if len(sent) % 2 else b"/back?to=%b") % b" ".join(values)
        stream.sendall(b"HTTP/1.1 302 Go\r\nLocation: %b\r\n\r\n" % place)

    page, status = probed(answer, "--junit", tmp_path / "junit.xml")
    written = page.read_bytes()
    assert status == 1
    assert len(sent) > 15
    for text in (written, (tmp_path / "junit.xml").read_bytes()):
        assert [value for value in sent if value in text] == []
    assert b"a redirect to /back: " in written
    assert b"a place that is not shown, since what was sent is in it" in written
    assert SECRET.encode() not in written
    assert b"of-the-url" not in written


def test_a_page_that_cannot_be_written_is_an_error(tmp_path):
    with canned(b"HTTP/1.1 403 No\r\n\r\n") as server:
        url = f"http://{HOST}:{server.port}/"
        argv = [sys.executable, "-m", "edgeauth", "probe", url, "--rate", "100", "--html", tmp_path]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 2
    assert f"--html '{tmp_path}' cannot be written" in done.stderr

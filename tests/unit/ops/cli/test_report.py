"""``edgeauth report``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.decision_logs import LINE, REFUSED, START, text, write_decisions
from support.terminals import stderr_on_a_terminal

SAFE = [{}, {"time": START + 7 * 86_400}, {**REFUSED, "peer": "45.33.32.156"}]
UNSAFE = [*SAFE, {**REFUSED, "path": "/checkout"}]


@pytest.fixture
def log(tmp_path):
    def write(*changes, name="log"):
        (tmp_path / name).write_text(text(*changes))
        return name

    return write


@pytest.mark.parametrize(
    ("lines", "status", "words"),
    [(SAFE, 0, "Safe to enforce"), (UNSAFE, 1, "Not safe to enforce")],
    ids=["safe", "unsafe"],
)
def test_the_answer_is_the_first_line_and_the_status(edgeauth, log, lines, status, words):
    result = edgeauth("report", log(*lines))
    assert result.exit_code == status
    assert result.stdout.startswith(words)


def test_the_tables_have_the_figures(edgeauth, log):
    late = {"reason": "expired", "enforced": False, "age": 75, "pop": "FRA"}
    shown = edgeauth("report", log(*UNSAFE, late, {**LINE, "peer": None})).stdout
    rows = [[cell.strip() for cell in line.split("\u2502")[1:-1]] for line in shown.splitlines()]
    assert ["ok", "accepted", "3", "50.00%", "signed by the edge"] in rows
    assert ["the edge", "GET /checkout", "missing", "1"] in rows
    assert ["the edge", "GET /", "expired", "1"] in rows
    assert ["elsewhere", "GET /", "missing", "1"] in rows
    assert ["151.101.1.0/24", "2", "2"] in rows
    assert ["no address", "1", "0"] in rows
    assert ["45.33.32.0/24", "0", "1"] in rows
    assert ["LHR", "3", "0"] in rows
    assert ["FRA", "0", "1"] in rows
    assert ["50 %", "1.5 s", "yes"] in rows
    assert ["oldest", "75 s", "NO"] in rows
    assert ["outside -5 to 60 s", "1", "NO"] in rows
    assert ["2026", "4", "2023-11-14 22:13:20", "2023-11-21 22:13:20"] in rows


def test_the_page_tells_when_it_was_enforced_and_what_came_before(edgeauth, log, tmp_path):
    refused = {**REFUSED, "allowed": False, "enforced": True, "time": START + 86_400}
    lines = [*UNSAFE, {**refused, "time": START + 4 * 86_400}, refused, {"key": "x\x1b<b>"}]
    result = edgeauth("report", log(*lines), "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert result.exit_code == 1
    assert page.count("refused for real from here") == 3
    # A day of seven.
    assert '<line class="limit" x1="14.' in page
    assert "x\\x1b&lt;b&gt;: 1</text>" in page


@pytest.mark.parametrize(
    "lines", [[], [{}], [{}, {**REFUSED, "path": "/checkout"}], [{**REFUSED, "key": None}]]
)
def test_a_page_of_few_lines_is_whole(edgeauth, log, tmp_path, lines):
    edgeauth("report", log(*lines), "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.endswith("</main>\n</body>\n</html>\n")
    assert page.count("<svg") == page.count("</svg>")


def test_several_files_are_one_report(edgeauth, log):
    files = [log({}, name="one"), log({}, {}, name="two")]
    result = edgeauth("report", *files, "-", input=text({}))
    assert "decisions 4 " in result.stdout


def test_the_window_and_the_addresses_are_those_of_the_app(edgeauth, log, tmp_path):
    (tmp_path / "edge.json").write_text('{"addresses": ["45.33.32.0/24"], "ipv6_addresses": []}')
    env = {"EDGEAUTH_ADDRESSES": "edge.json", "EDGEAUTH_MAX_AGE": "1"}
    result = edgeauth("report", log(*SAFE), "--json", env=env)
    document = json.loads(result.stdout)
    assert document["safe"] is False
    assert document["refused_by_sender"]["edge"]["total"] == 1
    assert document["ages"]["outside"] == 2


def test_one_readable_line_of_a_thousand_says_nothing_in_every_output(edgeauth, log, tmp_path):
    name = log({})
    with (tmp_path / name).open("ab") as file:
        file.write(b'{"time":1700000000.5,"lost":500}\n' + b"half a li\n" * 499)
    page = tmp_path / "page.html"
    result = edgeauth("report", name, "--html", str(page))
    assert result.exit_code == 1
    sentence = "Nothing can be said: of 1,000 lines 999 are missing; 1% may be."
    assert result.stdout.startswith(sentence)
    assert "lines not read 499   lines lost by the app 500" in " ".join(result.stdout.split("\n"))
    assert sentence in page.read_text()
    assert "<dt>lines lost by the app</dt><dd>500</dd>" in page.read_text()
    result = edgeauth("report", name, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["safe"], document["answer"]) == (1, False, sentence)
    assert (document["malformed_lines"], document["lost_lines"]) == (499, 500)


def test_json_has_all_figures_and_names(edgeauth, log):
    document = json.loads(edgeauth("report", "--json", log(*UNSAFE, {"time": "x"})).stdout)
    assert (document["decisions"], document["accepted"], document["refused"]) == (4, 2, 2)
    assert document["malformed_lines"] == 1
    assert document["reasons"] == {
        "accepted": [{"reason": "ok", "requests": 2}],
        "other_accepted": 0,
        "refused": [{"reason": "missing", "requests": 2}],
        "other_refused": 0,
    }
    assert document["keys"]["2026"]["first"] == START
    assert document["ages"]["percentiles"]["50"] == 1.5


def test_an_empty_file_is_not_safe_and_json_of_it_is_whole(edgeauth, log):
    result = edgeauth("report", "--json", log())
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ages"]["percentiles"] == {}
    assert edgeauth("report", log()).exit_code == 1


def test_nothing_hostile_reaches_the_terminal(edgeauth, log):
    nasty = "\x1b]0;x\x07[red]\u202e\ud800\n"
    change = {"path": "/" + nasty, "method": nasty, "pop": nasty, "key": nasty, "reason": nasty}
    for extra in ({}, {"enforced": False}):
        shown = edgeauth("report", log({**change, **extra})).stdout
        assert "[red]" in shown
        assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(shown)


@pytest.mark.parametrize("args", [[], ["absent"]])
def test_wrong_usage_is_status_2(edgeauth, args):
    assert edgeauth("report", *args).exit_code == 2


def test_a_page_that_cannot_be_written_is_status_2(edgeauth, log):
    result = edgeauth("report", log(*SAFE), "--html", "missing/page.html")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_without_rich_it_says_what_to_install_and_json_still_works(log, tmp_path):
    log(*SAFE)
    script = (
        "import sys; sys.modules['rich.console'] = None\n"
        "from edgeauth.ops.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "report", str(tmp_path / "log")]
    without = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (without.returncode, without.stdout) == (2, "")
    assert "edgeauth[report]" in without.stderr
    as_json = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert json.loads(as_json.stdout)["safe"] is True


def test_a_long_file_has_a_progress_bar_on_a_terminal_and_a_short_one_none(tmp_path):
    long, short = tmp_path / "long", tmp_path / "short"
    write_decisions(long, 30_000)
    write_decisions(short, 100)
    assert "100%" in stderr_on_a_terminal("report", long)
    assert stderr_on_a_terminal("report", short) == ""


def test_where_two_schemes_are_used_a_table_tells_how_far_the_change_has_come(edgeauth, log):
    new = {"scheme": "message-signatures", "pop": None}
    replayed = {**new, "reason": "replayed", "enforced": False}
    name = log(*[{"scheme": "edge-auth"}] * 3, new, new, replayed, {})
    shown = edgeauth("report", name).stdout
    rows = [[cell.strip() for cell in line.split("\u2502")[1:-1]] for line in shown.splitlines()]
    assert ["message-signatures", "2", "1"] in rows
    assert ["edge-auth", "3", "0"] in rows
    # A line of an earlier version.
    assert ["unknown", "1", "0"] in rows
    document = json.loads(edgeauth("report", "--json", name).stdout)
    assert document["schemes"]["accepted"][0] == {"scheme": "edge-auth", "requests": 3}
    assert "Authentic, by scheme" not in edgeauth("report", log(*SAFE)).stdout


def test_a_scheme_that_is_accepted_and_not_used_any_more_is_a_row_of_noughts(
    edgeauth, log, tmp_path
):
    config = tmp_path / "both.toml"
    config.write_text('[[schemes]]\nscheme = "message-signatures"\n[[schemes]]\n')
    name = log({"scheme": "message-signatures", "pop": None})
    shown = edgeauth("report", name, "--config", str(config)).stdout
    rows = [[cell.strip() for cell in line.split("\u2502")[1:-1]] for line in shown.splitlines()]
    assert ["message-signatures", "1", "0"] in rows
    assert ["edge-auth", "0", "0"] in rows
    assert "Authentic, by scheme" not in edgeauth("report", name).stdout

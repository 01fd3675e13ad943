"""``edgeauth addresses``."""

from __future__ import annotations

import json

import pytest
from support.list_server import answer, list_server

from edgeauth.ops.address_update.export import FORMATS
from edgeauth.settings import STALE_DAYS

LISTED = {
    "addresses": ["23.235.32.0/20", "151.101.0.0/16", "199.232.0.0/16"],
    "ipv6_addresses": ["2a04:4e40::/32"],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "edge.json"
    path.write_text(json.dumps({**LISTED, "as_of": "2026-10-01"}))
    return path


def test_show_prints_the_bundled_list_and_its_date(edgeauth):
    lines = edgeauth("addresses", "show").stdout.splitlines()
    assert lines[0] == "# the bundled list, 21 networks as of 2026-10"
    assert len(lines) == 22


@pytest.mark.parametrize("named", ["option", "environment", "config"])
def test_show_prints_the_file_that_is_named(edgeauth, file, named):
    (file.parent / "edgeauth.toml").write_text('addresses = "edge.json"\n')
    args, env = {
        "option": (["--file", "edge.json"], {}),
        "environment": ([], {"EDGEAUTH_ADDRESSES": "edge.json"}),
        "config": (["--config", "edgeauth.toml"], {}),
    }[named]
    shown = edgeauth("addresses", "show", *args, env=env).stdout
    assert shown.splitlines()[:2] == ["# edge.json, 4 networks as of 2026-10-01", "23.235.32.0/20"]


def test_show_says_what_retires_and_that_the_list_is_old(edgeauth, file):
    retiring = {"146.75.0.0/17": "2999-01-01"}
    file.write_text(json.dumps({**LISTED, "as_of": "2020-01", "retiring": retiring}))
    result = edgeauth("addresses", "show", "--file", "edge.json")
    assert result.stdout.splitlines()[-1] == "146.75.0.0/17  # left, until 2999-01-01"
    assert "days old" in result.stderr
    assert int(result.stderr.split()[3]) > STALE_DAYS
    late = {"EDGEAUTH_ADDRESSES_STALE_DAYS": "3650"}
    assert edgeauth("addresses", "show", "--file", "edge.json", env=late).stderr == ""


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("151.101.1.57", 0, "151.101.1.57 is in 151.101.0.0/16"),
        ("::ffff:151.101.1.57", 0, "151.101.1.57 is in 151.101.0.0/16"),
        ("[2a04:4e40::1]:443", 0, "2a04:4e40::1 is in 2a04:4e40::/32"),
        ("146.75.1.1", 0, "accepted until 2999-01-01"),
        ("192.0.2.1", 1, "192.0.2.1 is not on the list (5 networks as of 2026-10-01)"),
    ],
)
def test_check_answers_with_the_network_and_the_status(edgeauth, file, address, status, said):
    retiring = {"146.75.0.0/17": "2999-01-01"}
    file.write_text(json.dumps({**LISTED, "as_of": "2026-10-01", "retiring": retiring}))
    result = edgeauth("addresses", "check", address, "--file", "edge.json")
    assert result.exit_code == status
    assert said in result.stdout


@pytest.mark.parametrize("junk", ["example.com", "1.2.3", "\x1b[2J", "192.0.2.0/24"])
def test_check_takes_addresses_alone(edgeauth, junk):
    result = edgeauth("addresses", "check", junk)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not an IP address" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.usefixtures("file")
def test_update_prints_removals_first_and_how_long_they_stay(edgeauth):
    new = {**LISTED, "addresses": ["146.75.0.0/17", *LISTED["addresses"][:2]]}
    with list_server(answer(new)) as server:
        result = edgeauth("addresses", "update", "--file", "edge.json", "--url", server.url)
        again = edgeauth("addresses", "update", "--file", "edge.json", "--url", server.url)
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0].startswith("- 199.232.0.0/16  accepted until 20")
    assert lines[1] == "+ 146.75.0.0/17"
    assert lines[2].startswith("updated: 4 networks in edge.json, as of 20")
    assert again.stdout.startswith("no change: 4 networks")
    shown = edgeauth("addresses", "show", "--file", "edge.json").stdout
    assert "199.232.0.0/16  # left, until" in shown


def test_update_says_which_days_are_over(edgeauth, file):
    file.write_text(json.dumps({**LISTED, "retiring": {"146.75.0.0/17": "2020-01-01"}}))
    with list_server(answer(LISTED)) as server:
        result = edgeauth("addresses", "update", "--file", "edge.json", "--url", server.url)
    assert result.stdout.splitlines()[0] == "- 146.75.0.0/17  its days are over"


@pytest.mark.usefixtures("file")
def test_update_without_grace_says_no_day(edgeauth):
    new = {**LISTED, "addresses": LISTED["addresses"][1:]}
    args = ("--file", "edge.json", "--grace-days", "0")
    with list_server(answer(new)) as server:
        result = edgeauth("addresses", "update", *args, "--url", server.url)
    assert result.stdout.splitlines()[0] == "- 23.235.32.0/20"


def test_update_that_is_refused_is_status_1_and_leaves_the_file(edgeauth, file):
    before = file.read_bytes()
    with list_server(answer("<html>")) as server:
        result = edgeauth("addresses", "update", "--file", "edge.json", "--url", server.url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: what http://127.0.0.1:")
    assert result.stderr.endswith("The file is as it was.\n")
    assert file.read_bytes() == before


def test_update_of_the_bundled_list_asks_which_file(edgeauth):
    result = edgeauth("addresses", "update", env={"EDGEAUTH_ADDRESSES": "fastly"})
    assert result.exit_code == 2
    assert "--file FILE" in result.stderr


def test_diff_compares_and_changes_nothing(edgeauth, file):
    before = file.read_bytes()
    new = {**LISTED, "addresses": [*LISTED["addresses"][1:], "146.75.0.0/17"]}
    (file.parent / "other.json").write_text(json.dumps(new))
    with list_server(answer(new)) as server:
        fetched = edgeauth("addresses", "diff", "--file", "edge.json", "--url", server.url)
    compared = edgeauth("addresses", "diff", "--file", "edge.json", "other.json")
    assert fetched.stdout == compared.stdout == "- 23.235.32.0/20\n+ 146.75.0.0/17\n"
    assert fetched.exit_code == compared.exit_code == 1
    assert edgeauth("addresses", "diff", "--file", "edge.json", "edge.json").exit_code == 0
    assert file.read_bytes() == before


def test_diff_with_a_list_that_is_not_to_be_had_is_status_1(edgeauth):
    with list_server(answer("no", status="500 Oh")) as server:
        result = edgeauth("addresses", "diff", "--url", server.url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "answered 500" in result.stderr


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.usefixtures("file")
def test_export_prints_every_network(edgeauth, form):
    result = edgeauth("addresses", "export", "--format", form, "--file", "edge.json")
    assert (result.exit_code, result.stderr) == (0, "")
    for network in LISTED["addresses"] + LISTED["ipv6_addresses"]:
        assert network.partition("/")[0] in result.stdout


def test_export_wants_a_format_that_it_knows(edgeauth):
    assert edgeauth("addresses", "export").exit_code == 2
    assert edgeauth("addresses", "export", "--format", "apache").exit_code == 2

"""A kind of scheme that another package brings: one folder, one entry point, nothing else.

Each test runs the real programs with that folder on their path. They know the kind by its entry
point alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from support.origin import origin_with
from support.processes import HOST, free_port, running
from support.service import COMMAND, serving
from support.vectors import SECRET

PACKAGE = Path(__file__).parents[1] / "toy_kind"
PATHS = {"PYTHONPATH": str(PACKAGE)}
TOY = {**PATHS, "EDGEAUTH_SCHEME": "toy"}
URL = "http://origin.example/page?q=1"


def edgeauth(*arguments, given="", **settings):
    return subprocess.run(
        [sys.executable, COMMAND, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EDGEAUTH_SECRET": SECRET, **TOY, **settings},
    )


def signed(url=URL, **options):
    """The header fields for a GET of *url*, as ``edgeauth sign`` prints them."""
    printed = edgeauth("sign", "--curl", url, *options.get("more", ())).stdout
    command = iter(printed.replace("'", "").split("--header ")[1:])
    return dict(part.removesuffix(f" {url}\n").strip().split(": ") for part in command)


def as_lines(fields, start="GET /page?q=1 HTTP/1.1"):
    return "\n".join([start, "Host: origin.example", *(f"{k}: {v}" for k, v in fields.items())])


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy-origin")
    with origin_with(
        folder, **TOY, EDGEAUTH_WINDOW="40", EDGEAUTH_DECISIONS=str(folder / "decisions")
    ) as found:
        yield found


def test_its_options_are_settings_like_any_other():
    shown = edgeauth("check-config", EDGEAUTH_WINDOW="45")
    values = [line.split() for line in shown.stdout.splitlines()]
    assert ["scheme", "toy", "environment"] in values, shown.stderr
    assert ["window", "45", "environment"] in values


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("window", "soon", "a number of seconds"),
        ("max_age", "9", "max_age"),
        ("widow", "9", "EDGEAUTH_WINDOW"),
    ],
)
def test_what_it_has_not_or_cannot_read_is_an_error(name, value, told):
    refused = edgeauth("check-config", **{f"EDGEAUTH_{name.upper()}": value})
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr


def test_sign_prints_each_of_its_fields_and_the_gate_accepts_them(origin):
    made = edgeauth("sign", "--curl", f"{origin.url}/page?q=1")
    assert made.stdout.startswith("curl --globoff --header 'X-Toy-Time: ")
    assert httpx.get(f"{origin.url}/page", headers=signed(f"{origin.url}/page")).status_code == 200
    assert httpx.get(f"{origin.url}/other", headers=signed(f"{origin.url}/page")).status_code == 403


def test_an_option_that_means_nothing_to_it_is_refused():
    refused = edgeauth("sign", "--curl", URL, "--pop", "LHR")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--pop has no meaning for the scheme toy" in refused.stderr
    assert "name it with --curl URL" in edgeauth("sign").stderr


def test_verify_reads_the_lines_of_a_request_and_explains_in_its_words():
    fields = signed()
    accepted = edgeauth("verify", given=as_lines(fields))
    assert accepted.stdout.splitlines() == [
        "ACCEPTED  signed with key default",
        "",
        "  ok    X-Toy-Proof    fits",
    ]
    elsewhere = edgeauth("verify", "--json", given=as_lines(fields, "POST /page HTTP/1.1"))
    told = json.loads(elsewhere.stdout)
    assert (elsewhere.returncode, told["reason"]) == (1, "bad-signature")
    assert [finding["code"] for finding in told["findings"]] == ["toy-proof"]
    assert "not of POST /page" in told["fields"][0]["note"]
    late = edgeauth("verify", "--at", str(int(time.time()) + 99), given=as_lines(fields))
    assert late.stdout.startswith("REFUSED  expired: ")
    assert "Ask the edge for a new proof." in late.stdout


def test_beside_another_kind_verify_explains_each(tmp_path):
    config = tmp_path / "edgeauth.toml"
    config.write_text(
        f'[[schemes]]\nsecret = "{SECRET}"\n[[schemes]]\nscheme = "toy"\nsecret = "{SECRET}-2"\n'
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}
    done = subprocess.run(
        [sys.executable, COMMAND, "verify", "--config", config, "--json"],
        input=as_lines(signed()),
        capture_output=True,
        text=True,
        check=False,
        env={**env, **PATHS},
    )
    told = json.loads(done.stdout)
    assert (told["accepted"], told["reason"]) == (False, "bad-signature"), done.stderr
    assert [(one["scheme"], one["reason"]) for one in told["schemes"]] == [
        ("edge-auth", "missing"),
        ("toy", "bad-signature"),
    ]


def test_a_probe_tries_its_attacks_and_its_genuine_credential(origin):
    done = edgeauth("probe", f"{origin.url}/page", "--json", "--rate", "100")
    rows = {row["id"]: row["outcome"] for row in json.loads(done.stdout)["rows"]}
    assert (done.returncode, set(rows.values())) == (0, {"pass"}), rows
    assert {"toy-other-path", "toy-too-old", "signed", "junk"} <= set(rows)
    assert not {"stale", "no-pop"} & set(rows)


def test_a_probe_finds_a_gate_that_has_another_secret(tmp_path):
    with origin_with(tmp_path, **TOY, EDGEAUTH_SECRET=f"{SECRET}-of-others") as other:
        done = edgeauth("probe", f"{other.url}/page", "--json", "--rate", "100")
    rows = {row["id"]: row["outcome"] for row in json.loads(done.stdout)["rows"]}
    assert (done.returncode, rows["signed"], rows["toy-other-path"]) == (1, "fail", "pass")


def test_the_stand_in_edge_signs_each_request_and_removes_what_a_client_sent(origin, tmp_path):
    port = free_port()
    argv = [sys.executable, COMMAND, "edge", "--upstream", origin.url, "--port", str(port)]
    env = {"EDGEAUTH_SECRET": SECRET, **TOY}
    with running(argv, address=(HOST, port), log=tmp_path / "edge.log", env=env):
        own = {"X-Toy-Time": "1", "x_toy_proof": "2", "X-Toy-Proof": "3"}
        for path in ("/a", "/b?q=1"):
            answer = httpx.post(f"http://{HOST}:{port}{path}", headers=own)
            assert answer.status_code == 200
            fields = [name for name, _ in answer.json()["headers"] if "toy" in name]
            assert sorted(fields) == ["x-toy-proof", "x-toy-time"]


def test_snippet_prints_the_file_of_its_package():
    printed = edgeauth("snippet", "toy-edge")
    assert printed.stdout == (PACKAGE / "toy_kind" / "edge.conf").read_text(), printed.stderr
    refused = edgeauth("snippet", "vcl")
    assert "there is no vcl for the scheme toy: set scheme to edge-auth" in refused.stderr


def test_the_service_decides_by_it_and_writes_and_counts_its_kind(tmp_path):
    decisions = tmp_path / "decisions"
    guard = f'scheme = "toy"\nsecret = "{SECRET}"\ndecisions = "{decisions}"'
    asked = (("X-Original-Method", "GET"), ("X-Original-URI", "/page?q=1"))
    with serving(guard, 'proxy = "nginx"', environ=PATHS) as service:
        admitted = service.ask(*signed().items(), *asked)
        refused = service.ask(*signed("http://origin.example/other").items(), *asked)
        metrics = service.observe("/metrics")[1]
    assert (admitted.status, refused.status) == (204, 403)
    assert 'scheme="toy"' in metrics
    lines = [json.loads(line) for line in decisions.read_text().splitlines()]
    assert [(line["reason"], line.get("scheme")) for line in lines] == [
        ("ok", "toy"),
        ("bad-signature", None),
    ]
    report = edgeauth("report", "--json", str(decisions))
    told = json.loads(report.stdout)
    assert told["decisions"] == 2, told


BARE = """
from edgeauth import BadSignature, EdgeIdentity


class Bare:
    kind = "bare"
    headers = ("X-Bare",)
    OPTIONS = ()

    def __init__(self, keys):
        self.keys = keys

    @classmethod
    def from_options(cls, keys, options):
        return cls(keys)

    def verify(self, request, *, now):
        if list(request.header("X-Bare")) == [b"good"]:
            return EdgeIdentity(None, None, "k", scheme=self.kind)
        raise BadSignature("not good", hint="write good")
"""


def bare(folder, *arguments, given="", tools=None):
    """Run the command where a package brings the kind "bare", with *tools* or without any."""
    (folder / "bare_kind.py").write_text(BARE)
    if tools is not None:
        (folder / "bare_kind_ops.py").write_text(tools)
    info = folder / "bare_kind-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bare-kind\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edgeauth.schemes]\nbare = bare_kind:Bare\n")
    settings = {"EDGEAUTH_SCHEME": "bare", "PYTHONPATH": str(folder)}
    return edgeauth(*arguments, given=given, **settings)


def test_a_kind_without_tools_gets_the_hint_of_its_error(tmp_path):
    assert bare(tmp_path, "verify", given="X-Bare: good").returncode == 0
    refused = bare(tmp_path, "verify", given="X-Bare: bad")
    assert refused.stdout == "REFUSED  bad-signature: not good\n\nWrite good.\n"


def test_a_kind_without_tools_that_only_verifies_says_so(tmp_path, origin):
    for command in (("sign",), ("edge", "--upstream", origin.url)):
        refused = bare(tmp_path, *command)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "the scheme bare only verifies" in refused.stderr
    probe = bare(tmp_path, "probe", f"{origin.url}/page", "--json", "--rate", "100")
    rows = {row["id"]: row for row in json.loads(probe.stdout)["rows"]}
    assert (probe.returncode, rows["signed"]["outcome"]) == (0, "not tried")
    assert rows["signed"]["meaning"] == "the scheme bare only verifies"
    assert rows["junk"]["outcome"] == "pass"


def test_a_kind_without_tools_has_the_files_of_the_proxies_under_the_name_of_its_field(tmp_path):
    printed = bare(tmp_path, "snippet", "nginx").stdout
    assert "edgeauth:parameter header = X-Bare" in printed
    assert "http_x_bare" in printed or "X-Bare" in printed


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ("1 / 0\n", "cannot be loaded: ZeroDivisionError"),
        ("", "bare_kind_ops has no TOOLS"),
        ("TOOLS = {}\n", "bare_kind_ops has no TOOLS"),
    ],
)
def test_tools_that_cannot_be_used_are_an_error_in_one_line(tmp_path, tools, told):
    refused = bare(tmp_path, "verify", given="X-Bare: good", tools=tools)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr

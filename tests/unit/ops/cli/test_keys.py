"""``edgeauth keys``."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import os
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.decision_logs import LINE
from support.service import ORIGINAL, serving

from edgeauth import KeyRing, sign

COMMAND = (sys.executable, "-m", "edgeauth", "keys")
OLD = "the-secret-of-last-november"


@pytest.fixture
def secrets(tmp_path, monkeypatch):
    file = tmp_path / "secrets"
    file.write_text(f"# of the shop\n\nold [not_before=1700000000]: {OLD}\n")
    file.chmod(0o640)
    monkeypatch.setenv("EDGEAUTH_SECRETS_FILE", str(file))
    return file


def ids(file):
    return [key.id for key in KeyRing.from_file(file)]


@pytest.fixture
def decisions(tmp_path):
    """Writes a file of decisions: (seconds ago, key, and what else is not as accepted) each."""

    def write(*seen):
        file = tmp_path / "decisions.jsonl"
        now = time.time()
        rows = [LINE | {"time": now - ago, "key": key} | dict(*more) for ago, key, *more in seen]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(file)

    return write


# --- public keys


@pytest.fixture
def public(edgeauth, secrets):
    """A file of keys with the public one of a pair, and what makes the line of another."""

    def line(key_id):
        made = edgeauth("keygen", "--type", "ed25519", "--id", key_id, "--out", f"{key_id}.key")
        assert made.exit_code == 0
        return made.stdout

    secrets.write_text(line("edge-1"))
    return line


@pytest.mark.usefixtures("public")
def test_a_secret_is_not_added_behind_a_public_key_but_it_is_said_how_one_is(edgeauth, secrets):
    before = secrets.read_text()
    refused = edgeauth("keys", "rotate", "begin")
    assert (refused.exit_code, refused.stdout, secrets.read_text()) == (1, "", before)
    steps = ["keygen --type ed25519 --out FILE", f"end of {secrets}, and wait 6 s", "rotate finish"]
    assert [step for step in steps if step in refused.stderr] == steps
    assert edgeauth("keys", "rotate", "begin", "--id", "new", "--force").exit_code == 0
    assert ids(secrets) == ["edge-1", "new"]


def test_a_pair_is_rotated_as_a_secret_is(edgeauth, secrets, public, decisions):
    secrets.write_text(secrets.read_text() + public("edge-2"))
    before = edgeauth("keys", "status", "--log", decisions((1, "edge-1"), (1, "edge-2")))
    assert before.exit_code == 1
    rows = [line.split(maxsplit=5) for line in before.stdout.splitlines()[:2]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("edge-1", "old", "public, ed25519"),
        ("edge-2", "newest", "public, ed25519"),
    ]
    done = edgeauth("keys", "rotate", "finish", "--log", decisions((1, "edge-2")))
    assert done.exit_code == 0
    assert ids(secrets) == ["edge-2"]


# --- begin


def test_begin_adds_a_key_and_prints_its_secret_alone(edgeauth, secrets):
    result = edgeauth("keys", "rotate", "begin", "--id", "new")
    assert result.exit_code == 0
    assert re.fullmatch(r"[0-9a-f]{64}\n", result.stdout)
    assert result.stdout.strip() not in result.stderr
    assert "Accepted as before: old." in result.stderr
    assert "Wait 6 s" in result.stderr
    assert secrets.read_text() == (
        f"# of the shop\n\nold [not_before=1700000000]: {OLD}\nnew:{result.stdout}"
    )
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o640
    assert [path.name for path in secrets.parent.iterdir()] == ["secrets"]


@pytest.mark.usefixtures("secrets")
def test_the_wait_is_the_grace_of_the_settings(edgeauth):
    result = edgeauth("keys", "rotate", "begin", env={"EDGEAUTH_WATCH_INTERVAL": "0.5"})
    assert "Wait 1 s" in result.stderr


def test_a_new_key_is_named_by_the_day_and_never_as_another(edgeauth, secrets):
    for _ in range(3):
        assert edgeauth("keys", "rotate", "begin", "--force").exit_code == 0
    _, first, second, third = ids(secrets)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first)
    assert (second, third) == (f"{first}.2", f"{first}.3")


def test_a_last_line_without_a_newline_gets_one(edgeauth, secrets):
    secrets.write_bytes(b"\xef\xbb\xbfold:" + OLD.encode())
    edgeauth("keys", "rotate", "begin", "--id", "new")
    assert ids(secrets) == ["old", "new"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(edgeauth, secrets):
    real = secrets.rename(secrets.with_name("real"))
    secrets.symlink_to(real)
    assert edgeauth("keys", "rotate", "begin", "--id", "new").exit_code == 0
    assert secrets.is_symlink()
    assert ids(real) == ["old", "new"]


def test_begin_is_refused_while_a_rotation_is_under_way(edgeauth, secrets):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    before = secrets.read_text()
    result = edgeauth("keys", "rotate", "begin")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Usage" not in result.stderr
    assert "holds the keys old, new" in result.stderr
    assert secrets.read_text() == before
    assert edgeauth("keys", "rotate", "begin", "--id", "newer", "--force").exit_code == 0
    assert ids(secrets) == ["old", "new", "newer"]


@pytest.mark.parametrize("key_id", ["old", "a b", "x[y]"])
def test_an_id_that_cannot_be_used_leaves_the_file_as_it_was(edgeauth, secrets, key_id):
    before = secrets.read_text()
    result = edgeauth("keys", "rotate", "begin", "--id", key_id)
    assert (result.exit_code, result.stdout) == (2, "")
    assert secrets.read_text() == before


def test_a_file_that_is_not_there_is_made_only_by_force_and_for_its_owner_alone(edgeauth, tmp_path):
    file = tmp_path / "fresh"
    arguments = ("keys", "rotate", "begin", "--secrets-file", str(file))
    result = edgeauth(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such file" in result.stderr
    assert not file.exists()
    result = edgeauth(*arguments, "--force")
    assert "no key before it" in result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (key,) = KeyRing.from_file(file)
    assert key.secret.decode() == result.stdout.strip()


@pytest.mark.parametrize("name", ["absent/secrets", "a\0b"])
def test_a_place_where_no_file_can_be_is_named(edgeauth, tmp_path, name):
    for force in ((), ("--force",)):
        result = edgeauth("keys", "rotate", "begin", "--secrets-file", f"{tmp_path}/{name}", *force)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "secrets_file" in result.stderr


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"EDGEAUTH_SECRET": OLD}, "a rotation needs a secrets_file"),
        ({}, "a rotation needs a secrets_file"),
        ({"EDGEAUTH_SECRETS_DIR": "/run/keys"}, "the secrets are in secrets_dir"),
    ],
)
def test_what_cannot_be_rotated_here_says_how_it_is_done(edgeauth, environ, why):
    result = edgeauth("keys", "rotate", "begin", env=environ)
    assert result.exit_code == 2
    assert why in result.stderr


# --- faults


@contextlib.contextmanager
def a_disk_with_room_for(size):
    """No file can become larger than *size* bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_file_as_it_was_and_prints_no_secret(edgeauth, secrets):
    before = secrets.read_text()
    with a_disk_with_room_for(len(before) + 10):
        result = edgeauth("keys", "rotate", "begin")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be written and is as it was: File too large" in result.stderr
    assert secrets.read_text() == before
    assert [path.name for path in secrets.parent.iterdir()] == ["secrets"]


def test_a_new_file_that_does_not_fit_is_not_left_behind(edgeauth, tmp_path):
    file = str(tmp_path / "fresh")
    with a_disk_with_room_for(10):
        result = edgeauth("keys", "rotate", "begin", "--force", "--secrets-file", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be made: File too large" in result.stderr
    assert not list(tmp_path.iterdir())


def test_rotations_at_once_lose_no_key(secrets):
    runs = [
        subprocess.Popen(
            [*COMMAND, "rotate", "begin", "--force", "--id", f"new-{number}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    assert [run.wait() for run in runs] == [0] * 4
    assert set(ids(secrets)) == {"old", "new-0", "new-1", "new-2", "new-3"}


def test_a_file_of_another_user_stays_theirs(edgeauth, secrets):
    if os.geteuid() != 0:
        pytest.skip("only root may give a file to another user: run the tests as root")
    os.chown(secrets, 65534, 65534)
    assert edgeauth("keys", "rotate", "begin").exit_code == 0
    assert (secrets.stat().st_uid, secrets.stat().st_gid) == (65534, 65534)


# --- status


def status_of(edgeauth, *arguments):
    result = edgeauth("keys", "status", *arguments)
    *rows, gap, sentence = result.stdout.splitlines()
    assert gap == ""
    return result.exit_code, [row.split() for row in rows], sentence


@pytest.mark.usefixtures("secrets")
def test_status_of_one_key(edgeauth):
    exit_code, rows, sentence = status_of(edgeauth)
    assert (exit_code, rows) == (0, [["old", "newest"]])
    assert "No rotation is under way" in sentence


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("seen", "exit_code", "sentence"),
    [
        ([(1, "old"), (1, "new")], 1, "The edge has not switched: old was seen in the last 120 s."),
        ([(200, "old"), (1, "new")], 0, "The edge has switched: in the last 120 s only new"),
        ([(200, "old"), (200, "new")], 1, "Nothing can be said"),
        ([], 1, "Nothing can be said"),
        ([(1, None), (1, "other")], 1, "Nothing can be said"),
    ],
)
def test_the_decisions_say_whether_the_old_key_is_still_seen(
    edgeauth, decisions, seen, exit_code, sentence
):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    found = status_of(edgeauth, "--log", decisions(*seen))
    assert found[0] == exit_code
    assert found[2].startswith(sentence)


@pytest.mark.usefixtures("secrets")
def test_status_without_evidence_says_what_to_give(edgeauth):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    exit_code, rows, sentence = status_of(edgeauth)
    assert (exit_code, rows) == (1, [["old", "old"], ["new", "newest"]])
    assert "Give --log or --metrics" in sentence


def test_a_newest_key_that_is_not_valid_yet_is_no_reason_to_drop_the_old(
    edgeauth, secrets, decisions
):
    with secrets.open("a") as file:
        file.write("new [not_before=2200-01-01T00:00:00Z]: the-secret-of-next-century\n")
    exit_code, rows, sentence = status_of(edgeauth, "--log", decisions((1, "new")))
    assert (exit_code, rows[1][-3:]) == (1, ["NOT", "VALID", "NOW"])
    assert "not valid now by its dates" in sentence
    assert edgeauth("keys", "rotate", "finish", "--log", decisions((1, "new"))).exit_code == 1


@pytest.mark.usefixtures("secrets")
def test_lines_that_are_no_decisions_are_left_out(edgeauth, decisions):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    log = decisions(*[(1, "new")] * 1000)
    junk = [b"\xff", b"[]", b"null", b'{"key": "old"}', b'{"key": "old", "time": "now"}']
    junk += [b'{"key": "old", "time": Infinity}', b'{"key": ["old"], "time": 9e9}', b"[" * 100_000]
    with Path(log).open("ab") as file:
        file.write(b"\n".join(junk))
    assert status_of(edgeauth, "--log", log)[0] == 0


REFUSED = {"allowed": False, "reason": "expired", "age": 75}
REPORT_ONLY = {"allowed": True, "enforced": False, "reason": "expired", "age": 75}


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("refused", [REFUSED, REPORT_ONLY], ids=["enforced", "report-only"])
def test_a_refused_request_is_no_evidence_of_its_key(edgeauth, decisions, refused):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    exit_code, rows, sentence = status_of(edgeauth, "--log", decisions((1, "new", refused)))
    assert (exit_code, rows[1][2:]) == (1, ["seen", "0", "times"])
    assert sentence.startswith("Nothing can be said: no accepted request was seen")
    seen = decisions((1, "new"), (1, "old", refused))
    assert status_of(edgeauth, "--log", seen)[0] == 0


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        (b"half a li\n" * 20, "20 of 1,020 lines are missing or cannot be read"),
        (b'{"time":1,"lost":900}\n', "900 of 1,900 lines are missing or cannot be read"),
    ],
)
def test_evidence_of_which_a_part_is_missing_says_nothing(edgeauth, decisions, more, why):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    log = decisions(*[(1, "new")] * 1000)
    with Path(log).open("ab") as file:
        file.write(more)
    exit_code, _, sentence = status_of(edgeauth, "--log", log)
    assert exit_code == 1
    assert sentence.startswith(f"Nothing can be said: {why}")
    # What was seen of the old key is said all the same.
    log = decisions((1, "old"))
    with Path(log).open("ab") as file:
        file.write(more)
    assert "old was seen" in status_of(edgeauth, "--log", log)[2]


@pytest.mark.usefixtures("secrets")
def test_a_compressed_log_that_ends_early_says_nothing(edgeauth, decisions):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    log = Path(decisions(*[(1, "new")] * 5000))
    log.write_bytes(gzip.compress(log.read_bytes())[:-20])
    exit_code, _, sentence = status_of(edgeauth, "--log", str(log))
    assert (exit_code, sentence.startswith("Nothing can be said: ")) == (1, True)


@pytest.mark.usefixtures("secrets")
def test_decisions_of_the_future_say_nothing(edgeauth, decisions):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    exit_code, _, sentence = status_of(edgeauth, "--log", decisions((-600, "new")))
    assert (exit_code, "of the future" in sentence) == (1, True)


@pytest.mark.usefixtures("secrets")
def test_a_log_that_is_not_there_is_named(edgeauth):
    for name in ("absent", "a\0b"):
        result = edgeauth("keys", "status", "--log", name)
        assert result.exit_code == 2
        assert "decisions file" in result.stderr


@pytest.mark.usefixtures("secrets")
def test_evidence_comes_from_one_place(edgeauth):
    result = edgeauth("keys", "status", "--log", "x", "--metrics", "y")
    assert (result.exit_code, "give one of them" in result.stderr) == (2, True)


def test_the_metrics_of_the_service_say_it_too(edgeauth, secrets):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    old, new = KeyRing.from_file(secrets)
    with serving(f'secrets_file = "{secrets}"') as service:
        arguments = ("--metrics", f"http://127.0.0.1:{service.admin}/metrics", "--over", "0.5")

        def with_traffic_of(*keys):
            done = threading.Event()

            def ask():
                while not done.is_set():
                    for key in keys:
                        value = sign(key, pop="LHR")
                        assert service.ask(*ORIGINAL, ("Edge-Auth", value)).status == 204

            thread = threading.Thread(target=ask)
            thread.start()
            try:
                return status_of(edgeauth, *arguments)
            finally:
                done.set()
                thread.join()

        exit_code, _, sentence = with_traffic_of(old, new)
        assert (exit_code, sentence.startswith("The edge has not switched: old")) == (1, True)
        exit_code, _, sentence = with_traffic_of(new)
        assert (exit_code, sentence.startswith("The edge has switched")) == (0, True)


class Restarted(http.server.BaseHTTPRequestHandler):
    """Metrics of a service that is restarted between two looks, then those of none."""

    texts = (
        'edgeauth_verified_total{key_id="old"} 7.0\nedgeauth_verified_total{key_id="new"} 1e+02\n',
        'edgeauth_verified_total{pop="LHR",key_id="new"} 3.0\nedgeauth_verified_total{x="y"} 1\n',
    )
    served = 0

    def do_GET(self):
        texts = type(self).texts
        body = texts[type(self).served] if type(self).served < len(texts) else "up 1\n"
        type(self).served += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def restarted():
    with http.server.HTTPServer(("127.0.0.1", 0), Restarted) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/metrics"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("secrets")
def test_counters_that_began_anew_count_from_zero_and_other_metrics_are_none(edgeauth):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    with restarted() as url:
        exit_code, rows, _ = status_of(edgeauth, "--metrics", url, "--over", "0")
        assert (exit_code, rows[1][2:]) == (0, ["seen", "3", "times"])
        result = edgeauth("keys", "status", "--metrics", url, "--over", "0")
        assert (result.exit_code, "has none of edgeauth" in result.stderr) == (2, True)


@contextlib.contextmanager
def answering(answer):
    """A server that answers every connection with the same bytes; its /metrics."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65_536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 500 \x1b]0;x\x07\x1b[2J\r\n\r\n",
        b"\x1b]0;x\x07\x1b[2J\r\n\r\n",
        b'HTTP/1.0 200 OK\r\n\r\nedgeauth_verified_total{key_id="old"} \x1b]0;x\x07\x1b[2J\n',
    ],
    ids=["a reason phrase", "no HTTP", "a number"],
)
def test_nothing_that_a_server_sends_steers_the_terminal(edgeauth, answer):
    with answering(answer) as url:
        result = edgeauth("keys", "status", "--metrics", url)
    assert result.exit_code == 2
    assert "\\x1b" in result.stderr
    assert result.stderr.replace("\n", "").isprintable()


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    "number", ["NaN", "+Inf", "-Inf", "1e400", "-5", "1.2.3", "1e", "0x10", "9" * 5000, "."]
)
def test_a_number_that_counts_nothing_is_named_and_not_passed_over(edgeauth, number):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    body = (
        'edgeauth_verified_total{key_id="new",pop="LHR"} 5.0\n'
        f'edgeauth_verified_total{{key_id="old",pop="LHR"}} {number}\n'
    )
    with answering(b"HTTP/1.0 200 OK\r\n\r\n" + body.encode()) as url:
        result = edgeauth("keys", "status", "--metrics", url, "--over", "0")
    assert result.exit_code == 2
    assert f"'{number[:40]}' is no count of requests" in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.usefixtures("secrets")
def test_metrics_without_end_are_named(edgeauth, monkeypatch):
    monkeypatch.setattr("edgeauth.ops.rotation.evidence._MAX_METRICS_BYTES", 100)
    with answering(b"HTTP/1.0 200 OK\r\n\r\n" + b"edgeauth_" * 20) as url:
        result = edgeauth("keys", "status", "--metrics", url, "--over", "0")
    assert (result.exit_code, "are over 100 bytes" in result.stderr) == (2, True)


@pytest.mark.usefixtures("secrets")
def test_requests_whose_key_the_service_does_not_tell_are_no_evidence(edgeauth, monkeypatch):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    line = 'edgeauth_verified_total{{key_id="{0}",pop="{1}"}} {2}.0\n'.format
    texts = [line("new", "LHR", 5 * count) + line("other", "other", count) for count in (1, 2)]
    monkeypatch.setattr(Restarted, "texts", texts)
    monkeypatch.setattr(Restarted, "served", 0)
    with restarted() as url:
        exit_code, rows, sentence = status_of(edgeauth, "--metrics", url, "--over", "0")
    assert (exit_code, rows[1][2:]) == (1, ["seen", "5", "times"])
    assert sentence.startswith("Nothing can be said: The service has too many")


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1:9100", "begins with http://"),
        ("http://127.0.0.1:1/metrics", "Connection refused"),
        ("http://[x/metrics", "cannot be fetched"),
        ("http://a b/", "cannot be fetched"),
    ],
)
def test_metrics_that_cannot_be_fetched_are_named(edgeauth, url, why):
    result = edgeauth("keys", "status", "--metrics", url)
    assert (result.exit_code, why in result.stderr) == (2, True)


# --- finish


def test_finish_drops_the_old_keys_and_keeps_everything_else(edgeauth, secrets, decisions):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    secret = KeyRing.from_file(secrets).signing_key().secret.decode()
    secrets.write_text(secrets.read_text() + "# the end\n")
    result = edgeauth("keys", "rotate", "finish", "--log", decisions((1, "new")))
    assert result.stdout == "Dropped old; new stays. In force within 6 s.\n"
    assert secrets.read_text() == f"# of the shop\n\nnew:{secret}\n# the end\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o640


@pytest.mark.parametrize("seen", [None, [(1, "old")], []])
def test_finish_is_refused_while_the_edge_may_sign_with_the_old_key(
    edgeauth, secrets, decisions, seen
):
    edgeauth("keys", "rotate", "begin", "--id", "new")
    before = secrets.read_text()
    evidence = () if seen is None else ("--log", decisions(*seen))
    result = edgeauth("keys", "rotate", "finish", *evidence)
    assert result.exit_code == 1
    assert "Nothing was changed" in result.stderr
    assert "Usage" not in result.stderr
    assert secrets.read_text() == before
    assert edgeauth("keys", "rotate", "finish", *evidence, "--force").exit_code == 0
    assert ids(secrets) == ["new"]


@pytest.mark.usefixtures("secrets")
def test_finish_is_refused_where_nothing_was_begun(edgeauth):
    result = edgeauth("keys", "rotate", "finish", "--force")
    assert result.exit_code == 1
    assert "holds one key, old" in result.stderr
    assert "Usage" not in result.stderr

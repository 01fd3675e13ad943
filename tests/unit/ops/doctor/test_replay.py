"""What the doctor says of a store that remembers too little."""

from __future__ import annotations

import pytest

from edgeauth import EdgeAuthScheme, Settings
from edgeauth.ops.doctor.replay_checks import check_replay
from edgeauth.schemes.message_signatures import MessageSignatureScheme

SECRET = "0f83b1a2c94d57e6a8b0c1d2e3f40516"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def found(replay="memory", *, config=None, environ=None, workers=None, scheme=None, beside=()):
    schemes = [*beside, scheme or MessageSignatureScheme([SECRET])]
    settings = Settings(secret=SECRET, replay=replay)
    return check_replay(settings, schemes, config, environ or {}, workers)


def seen(*arguments, **options):
    (finding,) = found(*arguments, **options)
    assert (finding.id, finding.severity) == ("replay-per-worker", "error")
    return finding.seen


def test_without_a_store_what_is_good_once_is_good_twice():
    (finding,) = found(None, beside=[EdgeAuthScheme([SECRET])])
    assert (finding.id, finding.severity) == ("replay-off", "warning")
    assert "message-signatures" in finding.seen


def test_a_memory_is_too_small_for_several_workers():
    assert seen(workers=2).startswith("--workers is 2, and replay is 'memory'")
    assert found(workers=1, environ={"WEB_CONCURRENCY": "4"}) == []


@pytest.mark.parametrize(
    "environ",
    [
        {"WEB_CONCURRENCY": "4"},
        {"UVICORN_WORKERS": "4"},
        {"GRANIAN_WORKERS": "4"},
        {"EDGEAUTH_SERVICE_WORKERS": "4"},
        {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1 --workers=4"},
        {"GUNICORN_CMD_ARGS": "-w 4"},
        {"GUNICORN_CMD_ARGS": "-w4 --reload"},
    ],
    ids=str,
)
def test_the_workers_are_read_from_the_variables_of_servers(environ):
    (name,) = environ
    assert seen(environ=environ).startswith(name)
    one = {name: value.replace("4", "1") for name, value in environ.items()}
    assert found(environ=one) == []
    assert found(environ={name: "many"}) == []


@pytest.mark.parametrize("value", ["4", "multiprocessing.cpu_count() * 2 + 1"])
def test_the_workers_are_read_from_the_file_of_gunicorn(value, tmp_path):
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(f"import multiprocessing\nworkers = {value}  # all cores\n")
    assert seen().startswith(f"gunicorn.conf.py says workers = {value}, and")
    file.write_text("workers = 1\n")
    assert found() == []
    file.write_bytes(b"\xff")
    assert found() == []


def test_the_workers_of_the_decision_service_are_read_from_its_file(tmp_path):
    config = tmp_path / "edgeauth.toml"
    config.write_text("[service]\nworkers = 2\n")
    assert seen(config=config).startswith("[service] has 2 workers")
    config.write_text("[service]\nworkers = 1\n")
    assert found(config=config) == []


def test_a_store_that_all_workers_ask_is_wide_enough():
    for replay in ("sqlite:/var/lib/seen.db", "redis://localhost"):
        assert found(replay, workers=8) == []


def test_where_nothing_is_good_once_no_store_is_needed():
    scheme = MessageSignatureScheme([SECRET], require_nonce=False)
    assert found(None, scheme=scheme) == []
    assert found("memory", scheme=scheme, workers=8) == []


def test_what_is_accepted_beside_it_and_not_remembered_is_a_way_past_the_store():
    (finding,) = found("redis://localhost", beside=[EdgeAuthScheme([SECRET])])
    assert (finding.id, finding.severity) == ("replay-passed-by", "warning")
    assert finding.seen.startswith("edge-auth is accepted beside message-signatures")
    both = found("memory", workers=2, beside=[EdgeAuthScheme([SECRET])])
    assert [one.id for one in both] == ["replay-passed-by", "replay-per-worker"]

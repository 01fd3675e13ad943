"""Apps of several processes, as the guide has them: each scrape counts exactly what was asked."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from support.counted_apps import serving
from support.processes import HOST, free_port, wait_until
from support.processes import running as process

from edgeauth.ops.rotation.evidence import verified_by_metrics

if TYPE_CHECKING:
    from pathlib import Path

APPS = [
    pytest.param("uvicorn-httptools", "fastapi_app:app", id="FastAPI under uvicorn"),
    pytest.param("gunicorn-sync", "flask_app:app", id="Flask under gunicorn"),
    pytest.param("gunicorn", "flask_app:app", id="Flask under gunicorn with threads"),
    pytest.param("uvicorn-httptools", "django_asgi:application", id="Django under uvicorn"),
    pytest.param("gunicorn-sync", "django_wsgi:application", id="Django under gunicorn"),
]


@pytest.mark.parametrize(("server", "app"), APPS)
def test_each_scrape_counts_exactly_what_was_asked_also_after_a_process_was_replaced(
    server: str, app: str, tmp_path: Path
):
    with serving(server, app, tmp_path) as running:
        signed, refused, scraped = 0, 0, 0

        def both_count() -> bool:
            nonlocal signed, refused
            # At the same time, or one process would be quick enough for all.
            with ThreadPoolExecutor(20) as visitors:
                by_edge = visitors.map(lambda _: running.ask()[0], range(20))
                others = visitors.map(lambda _: running.ask(signed=False)[0], range(10))
                assert ({*by_edge}, {*others}) == ({200}, {403})
            signed, refused = signed + 20, refused + 10
            return len(running.workers()) == 2

        def check() -> None:
            nonlocal scraped
            # Whichever process answers.
            for _ in range(6):
                scraped += 1
                assert running.counted() == {
                    ("allow", "ok"): signed,
                    ("deny", "missing"): refused,
                    ("allow", "exempt"): scraped,
                }

        wait_until(both_count, what="a request to each process", seconds=60)
        check()
        killed = running.workers()[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: killed not in running.workers(), what="the end of a process")
        wait_until(both_count, what="a request to each process", seconds=60)
        check()
        assert killed not in running.workers()


def test_a_rotation_reads_the_metrics_of_an_app_as_those_of_the_service(tmp_path: Path):
    with serving("uvicorn-httptools", "fastapi_app:app", tmp_path) as running:
        for _ in range(3):
            assert running.ask()[0] == 200

        found = verified_by_metrics(f"http://{HOST}:{running.port}/metrics/")

        assert found.by_key == {"default": 3}


def test_a_process_of_its_own_shows_the_counts_of_all_on_a_listener_of_its_own(tmp_path: Path):
    with serving("gunicorn-sync", "flask_app:app", tmp_path) as running:
        assert (running.ask()[0], running.ask(signed=False)[0]) == (200, 403)
        exporter, port = tmp_path / "exporter.py", free_port()
        exporter.write_text(exporter.read_text().replace("9101", str(port)))

        with process(
            [sys.executable, exporter],
            address=(HOST, port),
            log=tmp_path / "exporter.log",
            env={"PROMETHEUS_MULTIPROC_DIR": str(running.counts)},
        ):
            counts = verified_by_metrics(f"http://{HOST}:{port}/metrics")

        assert counts.by_key == {"default": 1}

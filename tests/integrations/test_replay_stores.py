"""Several processes replay at one store: each credential is admitted once, whatever fails.

REPLAYS in the environment says how many replays there are in all; the soak asks for
100,000.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from replay_storm.faults import FAULTS, stores, storm_with
from replay_storm.storm import PROCESSES, run
from replay_storm.worker import LIFE_SECONDS, Guarded
from support.redis import redis_server
from support.service import short_folder

from edgeauth.replay import MemoryReplayStore

REPLAYS = int(os.environ.get("REPLAYS", "20000"))

# A refusal by time-out takes half a second, an asynchronous one a second; the machine is shared.
SLOWEST_SECONDS = 8
SECONDS = 6


@pytest.fixture(scope="module")
def redis():
    with short_folder() as folder, redis_server(folder) as server:
        yield server


@pytest.mark.parametrize("way", ["processes", "forked", "tasks", "guards", "guards and tasks"])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_each_credential_is_admitted_once_by_four_processes(kind, way, tmp_path, redis):
    redis.tell("FLUSHALL")
    setting = stores(tmp_path, redis)[kind]
    keys = REPLAYS // PROCESSES
    outcome = run(
        setting,
        keys=keys,
        tasks=10 if "tasks" in way else 0,
        forked=way == "forked",
        guards="guards" in way,
    )

    assert outcome.attempts == keys * PROCESSES
    assert not outcome.twice
    assert len(outcome.admitted) + outcome.errors.total() >= keys
    # Not a single one on a machine with time; where it stands still, a refusal is right as well.
    assert outcome.errors.total() < outcome.attempts / 100


def test_a_storm_that_takes_minutes_has_no_credential_that_is_over():
    guarded, now = Guarded(MemoryReplayStore()), time.time()
    minutes_ago = now - 240

    asked = [
        guarded.remember(b"a-nonce-of-the-storm", minutes_ago + LIFE_SECONDS, now=now)
        for _ in range(2)
    ]

    assert asked == [True, False]


def test_each_credential_is_admitted_once_by_the_threads_of_a_process():
    store = MemoryReplayStore()
    now = time.time()
    admitted = []
    together = threading.Barrier(PROCESSES)

    def ask():
        together.wait()
        admitted.extend(
            number
            for number in range(REPLAYS // PROCESSES)
            if store.remember(b"%d" % number, now + 60, now=now)
        )

    threads = [threading.Thread(target=ask) for _ in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(admitted) == list(range(REPLAYS // PROCESSES))


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_admitted_twice_when_the_store_breaks_and_it_comes_back(fault, tmp_path, redis):
    outcome = storm_with(fault, SECONDS, tmp_path, redis)

    assert not outcome.twice, outcome
    assert outcome.longest < SLOWEST_SECONDS, outcome
    assert outcome.admitted, outcome
    assert outcome.after, outcome


HOLD_AND_HANG = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)
"""


def test_a_killed_process_leaves_no_lock_and_loses_nothing(tmp_path):
    path = str(tmp_path / "seen.db")
    setting = f"sqlite:{path}"
    assert len(run(setting, keys=100).admitted) == 100
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_HANG, path], stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        holder.kill()
        holder.wait()

    assert not run(setting, keys=100).admitted


def test_a_full_disk_admits_nothing_and_room_brings_it_back(tmp_path):
    mount, umount = shutil.which("mount"), shutil.which("umount")
    small = [mount, "-t", "tmpfs", "-o", "size=400k", "tmpfs", tmp_path]
    if os.getuid() or not mount or not umount or subprocess.run(small, check=False).returncode:
        pytest.skip("only root may make a small disk; the unit tests limit the size of a file")
    try:
        ballast = Path(tmp_path, "ballast")

        def fill():
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"x" * 4096):
                    pass

        setting = f"sqlite:{tmp_path}/seen.db"
        outcome = run(setting, seconds=SECONDS, fault=fill, mended=ballast.unlink)
    finally:
        subprocess.run([umount, "-l", tmp_path], check=True)

    assert any("room" in error or "disk" in error for error in outcome.errors), outcome
    assert not outcome.twice, outcome
    assert outcome.longest < SLOWEST_SECONDS, outcome

"""A Redis for all tests of one process, and SQLite stores that are closed after a test."""

from __future__ import annotations

import pytest
from support.redis import redis_server
from support.service import short_folder

from edgeauth.replay.sqlite import SQLiteReplayStore


@pytest.fixture(scope="session")
def redis():
    with short_folder() as folder, redis_server(folder) as server:
        yield server


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "seen.db")


@pytest.fixture
def make():
    stores = []

    def make(path, **options):
        stores.append(SQLiteReplayStore(path, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(path, make):
    return make(path)

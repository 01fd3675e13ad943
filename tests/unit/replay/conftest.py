"""A Redis for all tests of one process."""

from __future__ import annotations

import pytest
from support.redis import redis_server
from support.service import short_folder


@pytest.fixture(scope="session")
def redis():
    with short_folder() as folder, redis_server(folder) as server:
        yield server

from __future__ import annotations

import pytest
from support.origin import origin_with


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with origin_with(tmp_path_factory.mktemp("origin")) as started:
        yield started

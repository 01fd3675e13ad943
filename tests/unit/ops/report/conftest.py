"""Files of decisions."""

from __future__ import annotations

import pytest
from support.decision_logs import text


@pytest.fixture
def log(tmp_path):
    """Writes lines into a file."""

    def write(*changes, name="log.jsonl"):
        path = tmp_path / name
        path.write_text(text(*changes))
        return path

    return write

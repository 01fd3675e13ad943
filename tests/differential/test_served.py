"""Over sockets: what was found, at every server with an adapter behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.service import short_folder

from differential.served import PROGRAMS, Served

_CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_kept_request_is_decided_as_the_oracle_says_or_refused_by_the_server(name):
    with short_folder() as folder, PROGRAMS[name].serving(folder) as target:
        served = Served(target)
        for path in _CORPUS:
            served.send(path.read_bytes())

    assert served.broken == []
    assert {"200 ok", "200 exempt", "200 pass", "403 missing", "403 malformed"} <= set(served.told)

"""A list like the public one, and a file that holds it."""

from __future__ import annotations

import json

import pytest

PUBLIC = {
    "addresses": ["23.235.32.0/20", "151.101.0.0/16", "199.232.0.0/16"],
    "ipv6_addresses": ["2a04:4e40::/32", "2a04:4e42::/32"],
}


@pytest.fixture
def public():
    return json.loads(json.dumps(PUBLIC))


@pytest.fixture
def file(tmp_path, public):
    path = tmp_path / "edge.json"
    path.write_text(json.dumps({**public, "as_of": "2026-10-01"}))
    return path

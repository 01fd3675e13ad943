"""The signed header."""

from __future__ import annotations

import pytest
from support.vectors import Row, rows

import edgeauth


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_each_vector_has_its_result(row: Row):
    assert outcome(row) == row.result


def outcome(row: Row):
    try:
        identity = edgeauth.verify(row.value, row.secrets, now=row.now, **row.options)
    except edgeauth.VerificationError as error:
        return error.reason
    return {"timestamp": identity.timestamp, "pop": identity.pop}

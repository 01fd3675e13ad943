"""Lines, whatever became of them."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.decision_logs import LINE, text

from edgeauth import ConfigurationError
from edgeauth.ops.report.reading import Decision, Lost, Malformed, opened, parse


def read(path):
    with opened(str(path)) as source:
        return list(source)


def test_a_line_is_read_as_it_was_written():
    decision = parse(json.dumps(LINE).encode())
    assert decision == Decision(
        time=LINE["time"],
        accepted=True,
        enforced=True,
        reason="ok",
        method="GET",
        path="/",
        peer="151.101.1.57",
        key="2026",
        pop="LHR",
        age=1.5,
    )


@pytest.mark.parametrize(
    ("allowed", "enforced", "accepted"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_accepted_is_what_would_pass_when_enforced(allowed, enforced, accepted):
    line = text({"allowed": allowed, "enforced": enforced}).encode()
    assert parse(line).accepted is accepted


@pytest.mark.parametrize(
    "change",
    [
        {"time": None},
        {"time": True},
        {"time": -1},
        {"time": 1e15},
        {"time": float("nan")},
        {"time": float("inf")},
        {"allowed": 1},
        {"enforced": "no"},
        {"reason": None},
        {"method": 7},
        {"path": "/" * 257},
        {"path": []},
        {"peer": 7},
        {"key": "k" * 257},
        {"pop": {}},
        {"age": "1"},
        {"age": float("nan")},
        {"age": 1e300},
        {"age": False},
    ],
)
def test_a_field_of_the_wrong_kind_makes_no_decision(change):
    assert parse(text(change).encode()) == Malformed("not a decision")


@pytest.mark.parametrize(
    "junk",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 9000,
        b'{"a": 1} x',
        b"9" * 9000,
        b"GET / 200",
    ],
)
def test_a_line_that_is_no_json_is_named(junk):
    assert parse(junk) == Malformed("not JSON")


@pytest.mark.parametrize("line", [b"[]", b"null", b"1", b"{}", b'"x"'])
def test_json_that_is_no_decision_is_named(line):
    assert parse(line) == Malformed("not a decision")


@given(st.binary(max_size=200))
def test_no_bytes_raise(junk):
    assert isinstance(parse(junk), (Decision, Malformed))


@given(
    st.dictionaries(
        st.sampled_from(sorted(LINE)),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none()),
    )
)
def test_no_values_raise(change):
    assert isinstance(parse(text(change).encode()), (Decision, Malformed))


def test_a_line_without_end_is_one_malformed_line_and_the_next_is_read(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100_000 + b"\n\n  \n" + text({}).encode() + b"y" * 50_000)
    first, second, third = read(path)
    assert first == third == Malformed("too long")
    assert isinstance(second, Decision)


@pytest.mark.parametrize("length", [1, 20, 100, 180])
def test_a_decision_behind_half_a_line_is_read_and_the_half_is_counted(tmp_path, length):
    whole = text({"path": '/{"time": 1, "lost": 9}'}).encode()
    path = tmp_path / "log"
    path.write_bytes(whole[:length] + whole + whole[:length] + whole[:length] + whole)
    decisions = [line for line in read(path) if isinstance(line, Decision)]
    assert [line.path for line in decisions] == ['/{"time": 1, "lost": 9}'] * 2
    # Two halves in a row are told apart where each has its beginning.
    assert len(read(path)) == (4 if length == 1 else 5)


def test_two_decisions_without_an_end_of_line_between_them_are_two(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(text({}).encode().rstrip() + text({}).encode())
    assert [type(line) for line in read(path)] == [Decision, Decision]


def test_a_line_says_how_many_were_lost():
    assert parse(b'{"time":1700000000.5,"lost":12}') == Lost(12)


@pytest.mark.parametrize("lost", ["0", "-1", "1.5", "true", "null", "1" + "0" * 13, '"9"'])
def test_a_number_of_lost_lines_that_cannot_be_meant_is_none(lost):
    assert parse(b'{"time":1700000000.5,"lost":%s}' % lost.encode()) == Malformed("not a decision")


def test_gzip_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "decisions.jsonl-20261122"
    path.write_bytes(gzip.compress(text({}, {}).encode()))
    assert len(read(path)) == 2


@pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: raw[:60] + b"\xff" * 900])
def test_a_damaged_gzip_file_is_read_as_far_as_it_goes(tmp_path, damage):
    path = tmp_path / "log.gz"
    path.write_bytes(damage(gzip.compress(text(*[{}] * 1000).encode())))
    assert "damaged" in read(path)[-1].why


def test_standard_input_is_read(monkeypatch):
    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(gzip.compress(text({}).encode())))

    monkeypatch.setattr("sys.stdin", Stdin)
    with opened("-") as source:
        assert source.size is None
        assert source.position == 0
        assert len(list(source)) == 1


def test_how_far_it_is_read_can_be_asked(tmp_path):
    path = tmp_path / "log"
    path.write_text(text(*[{}] * 100))
    with opened(str(path)) as source:
        list(source)
        assert source.position == source.size == path.stat().st_size


@pytest.mark.parametrize("name", ["absent", ".", "nul\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(ConfigurationError, match="cannot be read"), opened(f"{tmp_path}/{name}"):
        pass

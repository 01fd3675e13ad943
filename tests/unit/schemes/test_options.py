"""Readers of options that several kinds of scheme have use for."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from edgeauth import ConfigurationError
from edgeauth.schemes.options import (
    Option,
    between,
    read_flag,
    read_list,
    read_list_of,
    read_number,
    read_one_of,
    read_private_text_or_off,
    read_secret,
    read_text,
    read_text_or_off,
    read_whole_number,
    window,
)

READ = read_list_of(read_whole_number)


@pytest.mark.parametrize("written", ["4, 5", "4,5", [4, 5], ("4", 5)])
def test_a_list_of_numbers_is_read_from_a_variable_as_from_a_file(written):
    assert READ("versions", written) == (4, 5)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("4,,5", "versions, item 2, is ''; write a whole number"),
        ("4,five", "versions, item 2, is 'five'; write a whole number"),
        ("٤", "item 1, is '٤'"),
        ("9" * 5000, "item 1, is '999"),
        ([4, True], "item 2, is True"),
        ([4.0], "item 1, is 4.0"),
        ([[4]], "item 1, is"),
        ([], r"^versions is \[\]; write a list that is not empty, or leave it out$"),
        (5, "versions is 5; write a list"),
        ({4: 5}, "write a list"),
    ],
)
def test_an_item_that_is_no_number_is_named_by_its_place(written, told):
    with pytest.raises(ConfigurationError, match=told):
        READ("versions", written)


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (read_secret, "s", "s"),
        (read_text, "a", "a"),
        (read_text, Path("a"), "a"),
        (read_text_or_off, "off", None),
        (read_text_or_off, "on", "on"),
        (read_private_text_or_off, "off", None),
        (read_private_text_or_off, "on", "on"),
        (read_number("seconds"), "60", 60),
        (read_number("seconds"), "0.5", 0.5),
        (read_number("seconds"), 0.5, 0.5),
        (read_whole_number, "0", 0),
        (read_whole_number, "9" * 18, 10**18 - 1),
        (read_whole_number, 10**18, 10**18),
        *((read_flag, word, True) for word in (True, "true", "Yes", "ON", "1")),
        *((read_flag, word, False) for word in (False, "false", "No", "OFF", "0")),
        (read_list, "a, b", ("a", "b")),
        (read_list, ["a", "b"], ("a", "b")),
        (read_list, {"a"}, ("a",)),
        (read_list, frozenset("a"), ("a",)),
        (read_one_of("a", "b"), "b", "b"),
    ],
)
def test_a_value_is_read_as_what_it_is(read, written, value):
    found = read("name", written)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("read", "written", "told"),
    [
        *(
            (read_secret, bad, "name is empty or not text; write a secret (edgeauth keygen)")
            for bad in ("", b"s", None)
        ),
        *(
            (read, bad, f"name is {bad!r}; write a text that is not empty")
            for bad in ("", b"s", None)
            for read in (read_text, read_text_or_off)
        ),
        *(
            (read_private_text_or_off, bad, "name is empty or not text; write a text, or 'off'")
            for bad in ("", b"s", None)
        ),
        *(
            (read_number("days"), bad, f"name is {bad!r}; write a number of days")
            for bad in ("", "soon", "1.2.3", True, None, [1])
        ),
        *(
            (read_whole_number, bad, f"name is {bad!r}; write a whole number")
            for bad in ("", "-1", "1" * 19, False, 1.0)
        ),
        *(
            (read_flag, bad, f"name is {bad!r}; write true or false")
            for bad in ("", "maybe", 1, None)
        ),
        (read_list, 7, "name is 7; write a list"),
        *(
            (read_list, bad, f"name is {bad!r}; write a list of texts that is not empty, or leave")
            for bad in ("", "a,,b", [], [7], [""])
        ),
        (read_one_of("a", "b"), "c", "name is 'c'; write 'a' or 'b'"),
        (read_one_of("a"), ["a"], "name is ['a']; write 'a'"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_to_write(read, written, told):
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        read("name", written)


@pytest.mark.parametrize("value", [1, 1.5, 3650])
def test_a_number_is_in_its_range_with_both_ends(value):
    Option("age", read_number("days"), 1, "", check=between(1, 3650, "days")).refuse_bad(value)


@pytest.mark.parametrize("value", [0.9, 3650.1, True, "5", None, float("nan")])
def test_a_number_out_of_its_range_is_refused_with_the_range(value):
    option = Option("age", read_number("days"), 1, "", check=between(1, 3650, "days"))

    with pytest.raises(ConfigurationError, match=f"^age is {value!r}; write 1 to 3650 days$"):
        option.refuse_bad(value)


def test_an_option_without_a_range_takes_any_value_and_shows_it():
    option = Option("word", read_text, "a", "")

    option.refuse_bad(object())
    assert (option.secret, option.show, option.file) == (False, None, None)


@pytest.mark.parametrize("value", [0, 5, 0.5, sys.float_info.max])
def test_a_length_of_time_is_a_float_as_the_clock_is(value):
    assert window("max_age", value) == value
    assert type(window("max_age", value)) is float


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "max_age must be a number of seconds, not True"),
        ("5", "max_age must be a number of seconds, not '5'"),
        (-1, "max_age must be 0 seconds or more, not -1"),
        (float("nan"), "max_age must be 0 seconds or more, not nan"),
        (float("inf"), "max_age must be 0 seconds or more, not inf"),
        (10**400, "max_age must be 0 seconds or more, not 1000"),
    ],
)
def test_what_is_no_length_of_time_is_refused(value, told):
    with pytest.raises(ConfigurationError, match="^" + told):
        window("max_age", value)

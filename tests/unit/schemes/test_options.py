"""Readers of options that several kinds of scheme have use for."""

from __future__ import annotations

import pytest

from edgeauth import ConfigurationError
from edgeauth.schemes.options import read_list_of, read_whole_number

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
        ([], "a list that is not empty"),
        (5, "versions is 5; write a list"),
        ({4: 5}, "write a list"),
    ],
)
def test_an_item_that_is_no_number_is_named_by_its_place(written, told):
    with pytest.raises(ConfigurationError, match=told):
        READ("versions", written)

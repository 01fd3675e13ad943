"""docs/schemes/README.md has the options of every kind, as the code has them."""

from __future__ import annotations

from option_tables import PAGE, TABLES, table

from edgeauth.schemes.registry import built_in_kinds, scheme_class

TEXT = PAGE.read_text("utf-8")


def test_every_kind_has_a_table_of_its_options():
    assert sorted(TABLES.of(TEXT)) == sorted(built_in_kinds())


def test_the_tables_are_those_of_the_code():
    assert TABLES.written_into(TEXT) == TEXT, "run make options"


def test_a_table_has_a_row_for_each_option_and_its_default():
    printed = table("edge-auth")
    assert "| `max_age` | 60 |" in printed
    assert "| `pops` | none |" in printed
    assert len(printed.splitlines()) == 2 + len(scheme_class("edge-auth").OPTIONS)

"""What is said where the system lacks what is needed, of names that are nowhere."""

from __future__ import annotations

import sys

import pytest

from edgeauth import ConfigurationError
from edgeauth.posix import demand


def test_a_system_that_has_it_all_is_refused_nothing():
    demand("this test", "os", "os.path")


def test_all_that_is_missing_is_named():
    with pytest.raises(ConfigurationError) as refused:
        demand("this test", "os", "no_such_module", "os.no_such_function")

    assert str(refused.value) == (
        "this test needs Linux or macOS: there is no no_such_module and no os.no_such_function on "
        "this system"
    )


def test_a_function_is_looked_for_in_os_and_a_module_by_its_name(monkeypatch):
    monkeypatch.delitem(sys.modules, "calendar", raising=False)
    demand("this test", "calendar", "os.getpid")
    with pytest.raises(ConfigurationError, match=r"there is no os\.calendar and no getpid on"):
        demand("this test", "os.calendar", "getpid")

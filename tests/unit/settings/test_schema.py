"""The table of a guard's settings: what each may be, its default, and what is said of it."""

from __future__ import annotations

import dataclasses

import pytest

from edgeauth import ConfigurationError, Settings
from edgeauth.settings import OPTIONS, STALE_DAYS, check_stale_days
from edgeauth.settings.schema import GuardOptions
from edgeauth.settings.table import options_in, setting, table_of

TEXT, LIST = "a text that is not empty", "a list"
# The default, and what an error says to write.
SETTINGS = {
    "addresses": (None, TEXT),
    "addresses_stale_days": (90, "a number of days"),
    "trusted_proxies": ((), LIST),
    "exempt": ((), LIST),
    "mount_points": ((), LIST),
    "mode": ("enforce", "'enforce' or 'report-only'"),
    "strip_header": (True, "true or false"),
    "decisions": (None, TEXT),
    "metrics": ((), LIST),
    "replay": (None, "a text, or 'off'"),
    "replay_methods": ("all", "'all' or 'unsafe'"),
    "replay_failure": ("refuse", "'refuse' or 'accept'"),
    "watch_interval": (5, "a number of seconds"),
    "pass_secret": (None, "a secret (edgeauth keygen)"),
    "pass_secret_file": (None, TEXT),
    "revoked_passes": ((), LIST),
    "revoked_passes_file": (None, TEXT),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_has_its_default_and_an_error_says_what_it_may_be(name):
    default, expected = SETTINGS[name]
    option = OPTIONS[name]

    assert (option.name, option.default) == (name, default)
    assert GuardOptions.__dataclass_fields__[name].default == default
    with pytest.raises(ConfigurationError, match=r"^EDGEAUTH_X is .*; write ") as caught:
        option.read("EDGEAUTH_X", object())
    assert str(caught.value).endswith(f"; write {expected}")


@pytest.mark.parametrize("name", OPTIONS)
def test_each_is_documented_and_the_secret_alone_is_secret(name):
    assert OPTIONS[name].doc.isprintable()
    assert len(OPTIONS[name].doc) > 5
    assert OPTIONS[name].secret is (name == "pass_secret")
    field = GuardOptions.__dataclass_fields__[name]
    assert field.repr is (name not in {"pass_secret", "replay"})


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(("mode", word) for word in ("enforce", "report-only")),
        *(("replay_methods", word) for word in ("all", "unsafe")),
        *(("replay_failure", word) for word in ("refuse", "accept")),
    ],
)
def test_each_of_the_words_is_read_as_it_is(name, word):
    assert OPTIONS[name].read(name, word) == word
    with pytest.raises(ConfigurationError):
        OPTIONS[name].read(name, word.upper())


def test_decisions_may_be_counted_in_two_ways_and_each_has_its_word():
    both = ("prometheus", "opentelemetry")
    assert tuple(OPTIONS["metrics"].read("metrics", "prometheus,opentelemetry")) == both
    assert Settings(metrics=both).metrics == both
    for word in ("PROMETHEUS", "OPENTELEMETRY", "statsd"):
        with pytest.raises(ConfigurationError, match="'prometheus' or 'opentelemetry'"):
            OPTIONS["metrics"].read("metrics", [word])


@pytest.mark.parametrize(
    ("name", "least", "most", "unit"),
    [("watch_interval", 0.01, 3600, "seconds"), ("addresses_stale_days", 1, 3650, "days")],
)
def test_a_number_may_be_at_its_bounds_and_not_beyond_them(name, least, most, unit):
    for value in (least, 1, most):
        assert getattr(Settings(**{name: value}), name) == value
    for value in (least * 0.9, most + 0.1, None):
        with pytest.raises(ConfigurationError) as caught:
            Settings(**{name: value})
        assert str(caught.value) == f"{name} is {value!r}; write {least} to {most} {unit}"


def test_the_age_of_a_list_is_held_against_the_same_bounds_by_itself():
    check_stale_days(STALE_DAYS)
    with pytest.raises(ConfigurationError, match=r"^addresses_stale_days is 0; write 1 to 3650"):
        check_stale_days(0)


@pytest.mark.parametrize("name", ["addresses", "decisions", "replay"])
def test_off_is_a_word_for_nothing_where_that_can_be_meant(name):
    assert OPTIONS[name].read(name, "off") is None
    assert OPTIONS["pass_secret_file"].read("pass_secret_file", "off") == "off"


def test_of_a_store_people_see_no_password():
    assert OPTIONS["replay"].show("redis://:hunter2@cache") == "redis://cache:6379"


def test_settings_are_not_changed_and_have_no_other_attributes():
    settings = Settings(mode="report-only")

    assert not hasattr(settings, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.mode = "enforce"
    assert hash(settings) == hash(Settings(mode="report-only"))


def test_a_field_is_an_option_by_the_name_of_the_field():
    @dataclasses.dataclass
    class Three:
        other: int = 7
        plain: int = setting(int, 1, "what it is")
        masked: str = setting(str, "x", "what it is", check=print, show=repr)
        hidden: str = setting(str, "y", "what it is", secret=True)

    plain, masked, hidden = options_in(Three)

    assert [plain.name, masked.name, hidden.name] == ["plain", "masked", "hidden"]
    assert (plain.read, plain.default, plain.doc) == (int, 1, "what it is")
    assert (plain.secret, plain.check, plain.show) == (False, None, None)
    assert (masked.secret, masked.check, masked.show) == (False, print, repr)
    assert (hidden.secret, hidden.check, hidden.show) == (True, None, None)
    assert table_of([plain, hidden]) == {"plain": plain, "hidden": hidden}
    assert repr(Three()).endswith("Three(other=7, plain=1)")

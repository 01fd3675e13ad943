"""The service's options."""

from __future__ import annotations

import os
import pickle

import pytest
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET

from edgeauth import ConfigurationError, Settings, sign
from edgeauth.service.settings import ServiceSettings
from edgeauth.service.state import State

SECRET = "a-secret-of-the-unit-tests"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "edgeauth.toml"
    path.write_text(f'secret = "{SECRET}"\n[service]\nworkers = 2\nproxy = "envoy"\n')
    return path


def test_flags_win_over_the_environment_which_wins_over_the_file(config):
    environ = {"EDGEAUTH_SERVICE_WORKERS": "3", "EDGEAUTH_SERVICE_DENY_STATUS": "401"}

    settings = ServiceSettings.load(config, environ, {"workers": "4"})

    assert (settings.workers, settings.deny_status, settings.proxy) == (4, 401, "envoy")


def test_the_guard_leaves_the_options_of_the_service_alone(config):
    settings = Settings.load(config, {"EDGEAUTH_SERVICE_WORKERS": "3", "EDGEAUTH_MAX_AGE": "7"})

    scheme = settings.only_scheme()
    assert (scheme.secret, scheme.options["max_age"]) == (SECRET, 7)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"EDGEAUTH_SERVICE_WORKER": "1"}, "did you mean 'EDGEAUTH_SERVICE_WORKERS'"),
        ({"EDGEAUTH_SERVICE_WORKERS": "many"}, "a whole number from 1 to 256"),
        ({"EDGEAUTH_SERVICE_SOCKET_MODE": "888"}, "octal"),
        ({"EDGEAUTH_SERVICE_LOG_FORMAT": "xml"}, "'plain' or 'json'"),
        ({"EDGEAUTH_SERVICE_PROXY_ADDRESSES": "::/0"}, "admits every address"),
    ],
)
def test_a_wrong_option_says_what_to_write(environ, said):
    with pytest.raises(ConfigurationError, match=said):
        ServiceSettings.load(None, environ)


def test_an_empty_variable_of_the_service_is_one_that_is_not_set(config):
    empty = {f"EDGEAUTH_SERVICE_{n.upper()}": "" for n in ServiceSettings.__dataclass_fields__}

    assert ServiceSettings.load(None, empty) == ServiceSettings()
    assert ServiceSettings.load(config, empty).workers == 2


def test_the_file_that_a_variable_names_has_the_table_too(config):
    environ = {"EDGEAUTH_CONFIG": str(config)}

    assert ServiceSettings.load(None, environ).proxy == "envoy"
    assert State.load(1, None, environ, {}).settings.only_scheme().secret == SECRET


def test_admin_can_be_turned_off():
    assert ServiceSettings.load(None, {}, {"admin": "off"}).admin is None
    assert ServiceSettings.load(None, {}, {"admin": "127.0.0.1:9180"}).admin == "127.0.0.1:9180"


def test_a_socket_mode_in_toml_is_a_text(tmp_path):
    path = tmp_path / "edgeauth.toml"
    path.write_text("[service]\nsocket_mode = 660\n")

    with pytest.raises(ConfigurationError, match='"660"'):
        ServiceSettings.load(path, {})


class TestState:
    def test_it_is_whole_on_the_other_side_of_a_pipe(self, config, tmp_path):
        addresses = tmp_path / "list.json"
        addresses.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}')
        environ = {"EDGEAUTH_ADDRESSES": str(addresses)}

        state = pickle.loads(pickle.dumps(State.load(1, config, environ, {})))  # noqa: S301
        addresses.unlink()
        config.unlink()

        guard = state.build_guard()
        assert [key.id for key in guard.scheme.keys] == ["default"]
        assert "192.0.2.1" in guard.addresses
        assert state.listed_at is not None

    def test_its_repr_has_no_secret(self, config):
        assert SECRET not in repr(State.load(1, config, {}, {}))

    def test_the_proxy_that_asks_is_believed_about_x_forwarded_for_too(self, config):
        environ = {
            "EDGEAUTH_TRUSTED_PROXIES": "198.51.100.0/24",
            "EDGEAUTH_ADDRESSES": "fastly",
        }

        state = State.load(1, config, environ, {"proxy_addresses": "unix"})

        assert state.build_proxies().unix
        assert not state.build_proxies().trusts("198.51.100.1")
        forwarded = [("X-Forwarded-For", b"151.101.1.1, 198.51.100.1")]
        request = PlainRequest(peer=None, unix=True, fields=forwarded)
        assert state.build_guard().check(request).reason == "missing"

    def test_the_bundled_list_is_as_old_as_its_date(self, config):
        state = State.load(1, config, {"EDGEAUTH_ADDRESSES": "fastly"}, {})

        assert state.listed_at is not None
        assert state.listed_at % 86400 == 0

    def test_a_date_that_no_calendar_has_is_no_reason_not_to_start(self, config, tmp_path):
        addresses = tmp_path / "list.json"
        addresses.write_text(
            '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2026-13"}'
        )

        state = State.load(1, config, {"EDGEAUTH_ADDRESSES": str(addresses)}, {})

        assert state.listed_at is None


class TestSeveralSchemes:
    def test_a_worker_gets_the_keys_of_each_and_decides_by_them(self, tmp_path):
        config, keys = tmp_path / "edgeauth.toml", tmp_path / "keys"
        config.write_text(
            f'[[schemes]]\nsecret = "{SECRET}"\n'
            f'[[schemes]]\nscheme = "shared-secret"\nheader = "X-P"\nsecrets_file = "{keys}"\n'
        )
        keys.write_text(f"old:{OLDER_SECRET}\n")
        state, source = State.read(1, config, {}, {})
        keys.unlink()
        arrived = pickle.loads(pickle.dumps(state))  # noqa: S301 - as it travels
        guard = arrived.build_guard()
        for fields, scheme in (
            ([("X-P", OLDER_SECRET.encode())], "shared-secret"),
            ([("Edge-Auth", sign(SECRET, pop="LHR").encode())], "edge-auth"),
        ):
            assert guard.check(PlainRequest(fields=fields)).scheme == scheme
        assert state.following(source.policy).keys == state.keys

    def test_a_pipe_of_either_is_read_once(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        config = tmp_path / "edgeauth.toml"
        config.write_text(
            f'[[schemes]]\nsecret = "{SECRET}"\n[[schemes]]\nsecrets_file = "{pipe}"\n'
        )
        with pytest.raises(ConfigurationError, match="is a pipe, which can be read but once"):
            State.load(2, config, {}, {})

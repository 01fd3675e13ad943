"""Whatever an operator writes, the answer is a setting or a ConfigurationError."""

from __future__ import annotations

import contextlib
import json
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from edgeauth import AddressList, ConfigurationError, Guard, KeyRing, Settings
from edgeauth.addresses import canonical_address

NAMES = [*Settings.__dataclass_fields__, "max_agee", ""]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
def test_a_mapping_is_settings_or_a_configuration_error(mapping):
    with contextlib.suppress(ConfigurationError):
        Guard.from_settings({"secret": "x" * 16, **mapping})


@given(st.dictionaries(st.sampled_from(NAMES), st.text(), max_size=4))
def test_an_environment_is_settings_or_a_configuration_error(variables):
    environ = {f"EDGEAUTH_{name.upper()}": value for name, value in variables.items()}
    with contextlib.suppress(ConfigurationError):
        Guard.from_settings(Settings.from_environ(environ))


@given(st.binary(max_size=300))
def test_a_secrets_file_is_a_ring_or_a_configuration_error(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("keys") / "secrets"
    file.write_bytes(content)
    with contextlib.suppress(ConfigurationError):
        KeyRing.from_file(file)


@given(st.text(max_size=60))
def test_whatever_stands_in_the_brackets_is_dates_or_a_configuration_error(dates):
    secret = "the-secret-behind-the-brackets"
    try:
        outcome = [key.dated for key in KeyRing.from_text(f"a[{dates}]:{secret}", "a text")]
    except ConfigurationError as error:
        outcome = str(error)
    assert outcome == [True] or secret not in outcome


@given(st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=16, max_size=200))
def test_a_secret_may_hold_anything_and_is_never_taken_for_dates(secret):
    if secret.strip() == secret and len(secret.encode()) <= 1024:
        for line in (f"a:{secret}", f"a [not_after=1796083200]: {secret}"):
            (key,) = KeyRing.from_text(line, "a text")
            assert key.secret == secret.encode()


@given(st.binary(max_size=100) | values.map(lambda value: json.dumps(value, default=str).encode()))
def test_an_address_file_is_a_list_or_a_configuration_error(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("lists") / "list.json"
    file.write_bytes(content)
    with contextlib.suppress(ConfigurationError):
        AddressList.from_file(file)


@st.composite
def networks(draw):
    address = draw(st.ip_addresses())
    length = draw(st.integers(8, address.max_prefixlen))
    network = ip_network((address, length), strict=False)
    # Those that hold IPv4-mapped addresses are refused, which has its own test.
    return network if network.version == 4 or int(network.network_address) >> 64 else None


@given(
    st.lists(networks().filter(bool), min_size=1, max_size=30),
    st.lists(st.ip_addresses(), max_size=20),
)
def test_a_look_up_agrees_with_the_ipaddress_module(nets, strangers):
    addresses = AddressList([str(net) for net in nets])
    edges = [
        ip_address(int(net[place]) + step) for net in nets for place, step in ((0, 0), (-1, 0))
    ]
    for address in [*strangers, *edges]:
        if getattr(address, "ipv4_mapped", None) is None:
            expected = any(address in net for net in nets if net.version == address.version)
            assert (str(address) in addresses) is expected
            assert (address in addresses) is expected


@given(st.text(max_size=60))
def test_an_entry_of_a_forwarding_header_is_an_address_or_nothing(text):
    found = canonical_address(text)
    assert found is None or str(ip_address(found)) == found

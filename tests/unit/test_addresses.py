"""Address lists."""

from __future__ import annotations

import calendar
import json
import math
import os
import time
from datetime import date
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeauth import AddressList, ConfigurationError, networks
from edgeauth.addresses import canonical_address

LIST = AddressList(["192.0.2.0/25", "198.51.100.7", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("ip", "inside"),
    [
        ("192.0.2.0", True),
        ("192.0.2.127", True),
        ("192.0.2.128", False),
        ("192.0.1.255", False),
        ("198.51.100.7", True),
        ("198.51.100.6", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("2001:db8::1", True),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db9::", False),
        ("::", False),
        ("::ffff:192.0.2.1", True),
        ("::ffff:c000:201", True),
        ("::ffff:192.0.2.128", False),
        ("::192.0.2.1", False),
        ("64:ff9b::192.0.2.1", False),
    ],
)
def test_an_address_is_looked_up_in_every_form(ip, inside):
    assert (ip in LIST) is inside
    assert (ip_address(ip) in LIST) is inside


@pytest.mark.parametrize(
    "junk",
    [
        "",
        " ",
        "192.0.2",
        "192.0.2.1 ",
        "192.0.2.1\0",
        "0300.0.2.1",
        "192.0.2.01",
        "3221225985",
        "0xc0000201",
        "192.0.2.1:80",
        "[2001:db8::1]",
        "2001:db8::1%eth0",
        "testclient",
        "\u0661.2.3.4",
        "::\ud800",
        "localhost",
        None,
        3221225985,
        b"192.0.2.1",
    ],
)
def test_what_is_no_address_is_in_no_list(junk):
    assert junk not in LIST
    assert junk not in AddressList(["0.0.0.0/8", "255.0.0.0/8", "64::/16"])


def test_overlapping_and_adjacent_networks_are_one_range():
    merged = AddressList(["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "172.16.0.0/12"])
    assert "10.127.255.255" in merged
    assert "10.255.255.255" in merged
    assert "11.0.0.0" not in merged
    assert len(merged) == 4
    assert len(merged._v4[0]) == 2


def test_an_address_between_two_networks_is_in_neither():
    apart = AddressList(["192.0.2.0", "192.0.2.2", "2001:db8::", "2001:db8::2"])
    assert "192.0.2.1" not in apart
    assert "2001:db8::1" not in apart


def test_the_bundled_snapshot_is_dated():
    fastly = AddressList.fastly()
    assert len(fastly) == 21
    assert fastly.as_of == "2026-10"
    assert "151.101.1.57" in fastly
    assert "2a04:4e42::1" in fastly
    assert "8.8.8.8" not in fastly
    assert repr(fastly) == "<AddressList 21 networks as of 2026-10>"


@pytest.mark.parametrize(
    ("networks", "why"),
    [
        ([], "empty"),
        (["192.0.2.1/24"], "host bits"),
        (["0.0.0.0/0"], "admits every address"),
        (["::/0"], "admits every address"),
        (["::ffff:192.0.2.0/120"], "write the IPv4 network"),
        (["::ffff:255.255.255.255"], "write the IPv4 network"),
        (["::/64"], "write the IPv4 network"),
        (["192.0.2.0/33"], "is not a network: "),
        (["128.0.0.0/x"], "is not a network: "),
        (["example.com"], "is not a network: "),
        ([7], "7 is not a network; write a CIDR"),
        ([None], "None is not a network; write a CIDR"),
        ("192.0.2.0/24", "must be a list"),
        (b"192.0.2.0/24", "must be a list"),
    ],
)
def test_a_list_that_would_check_nothing_or_nobody_is_refused(networks, why):
    with pytest.raises(ConfigurationError, match=why):
        AddressList(networks)


RETIRING = {"198.51.100.0/24": "2026-10-31", "192.0.2.0/24": "2026-11-30"}


def test_a_network_that_retires_is_in_the_list_and_counted_once():
    addresses = AddressList(["192.0.2.0/24"], retiring=RETIRING)
    assert "198.51.100.9" in addresses
    assert [str(network) for network in addresses.networks] == ["192.0.2.0/24", "198.51.100.0/24"]
    assert addresses.retiring == {
        ip_network("198.51.100.0/24"): date(2026, 10, 31),
        ip_network("192.0.2.0/24"): date(2026, 11, 30),
    }
    assert AddressList(["192.0.2.0/24"]).retiring == {}


def test_the_next_retirement_is_the_midnight_after_the_first_last_day():
    addresses = AddressList(["203.0.113.0/24"], retiring=RETIRING)
    assert addresses.next_retirement == calendar.timegm((2026, 11, 1, 0, 0, 0))
    assert AddressList(["203.0.113.0/24"]).next_retirement == math.inf


@pytest.mark.parametrize("day", ["20261031", "2026-10", "2026-13-01", "soon", "", None, 20261031])
def test_a_last_day_that_is_no_date_is_refused(day):
    with pytest.raises(ConfigurationError, match="must be a date like 2026-10-31"):
        AddressList(["192.0.2.0/24"], retiring={"198.51.100.0/24": day})


@pytest.mark.parametrize("as_of", ["2026", "2026-10-", "20261031", "2026-10\n", "", 2026])
def test_a_date_of_another_form_is_refused(as_of):
    with pytest.raises(ConfigurationError, match="as_of must be like 2026-10 or 2026-10-31"):
        AddressList(["192.0.2.0/24"], as_of=as_of)


@pytest.mark.parametrize(
    ("now", "inside"), [((2026, 10, 31, 23, 59, 59), True), ((2026, 11, 1, 0, 0, 0), False)]
)
def test_a_network_of_a_file_retires_when_its_last_day_is_over(tmp_path, now, inside):
    file = tmp_path / "list.json"
    document = {"addresses": ["203.0.113.0/24"], "ipv6_addresses": [], "retiring": RETIRING}
    file.write_text(json.dumps(document))
    addresses = AddressList.from_file(file, now=calendar.timegm(now))
    assert ("198.51.100.9" in addresses) is inside
    assert "192.0.2.9" in addresses


@pytest.fixture
def zone(monkeypatch):
    def is_set(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield is_set
    monkeypatch.undo()
    time.tzset()


def test_the_day_is_that_of_utc_wherever_the_machine_is(zone):
    addresses = AddressList(["192.0.2.0/24"], as_of="2026-10-31")
    # Between these two zones it is never the same day.
    ages = set()
    for name in ("Etc/GMT-14", "Etc/GMT+12"):
        zone(name)
        ages.add(addresses.age_days())
        assert addresses.age_days(calendar.timegm((2026, 11, 1, 11, 0, 0))) == 1
        retiring = AddressList(["203.0.113.0/24"], retiring=RETIRING)
        assert retiring.next_retirement == calendar.timegm((2026, 11, 1, 0, 0, 0))
    assert len(ages) == 1


def test_a_file_in_the_shape_of_the_public_list_is_read(tmp_path):
    file = tmp_path / "list.json"
    file.write_text(
        json.dumps(
            {"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2026-11-02", "more": 1}
        )
    )
    addresses = AddressList.from_file(file)
    assert "192.0.2.9" in addresses
    assert addresses.as_of == "2026-11-02"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", 'is not JSON; expected {"addresses": '),
        (b"<html>", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "wrong shape"),
        (b"{}", "no list 'addresses'"),
        (b'{"addresses": ["192.0.2.0/24"]}', "no list 'ipv6_addresses'"),
        (b'{"addresses": "192.0.2.0/24", "ipv6_addresses": []}', "no list 'addresses'"),
        (b'{"addresses": [], "ipv6_addresses": []}', "is empty"),
        (b'{"addresses": [[]], "ipv6_addresses": []}', "is not a network"),
        (b'{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "today"}', "as_of"),
        (b'{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": 2026}', "as_of"),
        (b'{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "20261001"}', "as_of"),
        (b'{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "retiring": []}', "must be like"),
        (b"\xff\xfe", "not UTF-8"),
        (b" " * ((16 << 20) + 1), "over 16777216 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, content, why):
    file = tmp_path / "list.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        AddressList.from_file(file)
    assert "list.json" in str(caught.value)


def test_a_file_may_have_sixteen_mebibytes_and_a_mark(tmp_path):
    file = tmp_path / "list.json"
    content = b'\xef\xbb\xbf{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}'
    file.write_bytes(content.ljust(16 << 20))
    assert len(AddressList.from_file(file)) == 1


def test_of_a_file_that_no_memory_holds_no_more_is_read_than_tells_that(tmp_path):
    file = tmp_path / "list.json"
    file.touch()
    os.truncate(file, 1 << 40)
    with pytest.raises(ConfigurationError, match="is over 16777216 bytes"):
        AddressList.from_file(file)


@pytest.mark.parametrize(
    ("name", "why"), [("absent", "No such file"), ("nul\0", "not a usable path")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, why):
    with pytest.raises(ConfigurationError, match=why):
        AddressList.from_file(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]:any]", "2001:db8::1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("[2001:db8::1", None),
        ("[2001:db8::1]443", None),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("192.0.2.1,", None),
        ("a:b", None),
    ],
)
def test_an_entry_of_a_forwarding_header_is_read_as_proxies_write_it(text, address):
    assert canonical_address(text) == address


@given(
    st.one_of(
        st.builds("{}/{}".format, st.ip_addresses(), st.integers(-1, 130)),
        st.builds(
            lambda address, length: str(ip_network((address, length % 129), strict=False)),
            st.ip_addresses(v=6),
            st.integers(0, 128),
        ),
        st.ip_addresses().map(str),
        st.text("0123456789abcdef:./%", max_size=24),
        st.sampled_from(["192.0.2.0/024", "192.0.2.0/255.255.255.0", "::ffff:1.2.3.4", "1.2.3.04"]),
        st.sampled_from(["1.2.3.4/", "/8", "::/0", "::/1", "0.0.0.0/1", "::1/128", "fe80::1%eth0"]),
    )
)
def test_a_network_is_read_as_the_ipaddress_module_reads_it(text):
    try:
        expected = ip_network(text)
    except ValueError:
        expected = None
    if expected is not None and (
        expected.prefixlen == 0
        or (expected.version == 6 and expected.overlaps(ip_network("::ffff:0:0/96")))
    ):
        expected = None
    if expected is None:
        with pytest.raises(ConfigurationError):
            AddressList([text])
    else:
        listed = AddressList([text])
        # A zone says nothing about an address that comes from elsewhere, and is left out.
        assert [(net.version, int(net[0]), net.prefixlen) for net in listed.networks] == [
            (expected.version, int(expected[0]), expected.prefixlen)
        ]
        assert expected[0] in listed
        assert expected[-1] in listed


@pytest.mark.parametrize(
    "text",
    [
        "198.51.101.0/24",
        "128.0.0.0/1",
        "198.51.100.7",
        "198.51.100.7/32",
        "2001:db8::/32",
        "8000::/1",
        "2001:db8::1",
        "2001:db8::1/128",
        # The first one behind those that are IPv4-mapped.
        "::1:0:0:0",
    ],
)
def test_a_network_in_its_usual_form_is_read_without_the_slow_ipaddress_module(monkeypatch, text):
    expected = ip_network(text)
    monkeypatch.setattr(networks, "ip_network", None)

    assert AddressList([text]).networks == (expected,)

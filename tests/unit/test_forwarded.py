"""X-Forwarded-For behind trusted proxies."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest

from edgeauth import AddressNotAllowed, ConfigurationError
from edgeauth.forwarded import TrustedProxies

PROXY, BALANCER, EDGE, CLIENT = "10.0.0.1", "10.0.0.2", "151.101.1.1", "203.0.113.9"


def address(peer, *forwarded, trusted=("10.0.0.0/24",), unix=False, others=()):
    fields = [*others, *(("X-Forwarded-For", value) for value in forwarded)]
    request = PlainRequest(peer=peer, unix=unix, fields=fields)
    return TrustedProxies(trusted).client_address(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        pytest.param(EDGE, [], EDGE, id="the peer itself, when it is no proxy"),
        pytest.param(EDGE, [CLIENT], EDGE, id="a header from a stranger is not read"),
        pytest.param(PROXY, [f"{CLIENT}, {EDGE}"], EDGE, id="the proxy's own entry is the last"),
        pytest.param(
            PROXY, [f"{EDGE}, {CLIENT}"], CLIENT, id="what stands left of it is the client's word"
        ),
        pytest.param(
            PROXY, [f"{CLIENT}, {EDGE},{BALANCER}"], EDGE, id="a chain of proxies is walked"
        ),
        pytest.param(PROXY, [CLIENT, EDGE], EDGE, id="two fields are one list, in order"),
        pytest.param(PROXY, [EDGE, BALANCER], EDGE, id="the walk goes on into the field before"),
        pytest.param(
            PROXY, [f"junk, {EDGE}"], EDGE, id="junk beyond the first stranger is not read"
        ),
        pytest.param(PROXY, [f"{EDGE}:4711"], EDGE, id="a port is left out"),
        pytest.param(PROXY, [f"::ffff:{EDGE}"], EDGE, id="an IPv4-mapped entry is IPv4"),
        pytest.param(PROXY, ["[2a04:4e42::1]:443"], "2a04:4e42::1", id="IPv6 in brackets"),
        pytest.param(PROXY, [], PROXY, id="no header: the proxy speaks for itself"),
        pytest.param(PROXY, [f"{BALANCER}, {PROXY}"], BALANCER, id="all trusted: the leftmost"),
        pytest.param("::ffff:10.0.0.1", [EDGE], EDGE, id="a proxy that connects IPv4-mapped"),
    ],
)
def test_the_address_is_the_nearest_that_is_no_trusted_proxy(peer, forwarded, expected):
    assert address(peer, *[value.encode() for value in forwarded]) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b",",
        b"junk",
        b"151.101.1.1, ",
        b"unknown",
        b"151.101.1.1;x",
        b"\xff\x00",
        b"' OR 1",
        b"151.101.1.1/32",
        b"\x0c151.101.1.1",
    ],
)
def test_an_entry_that_counts_and_is_no_address_refuses(value):
    with pytest.raises(AddressNotAllowed, match="no address"):
        address(PROXY, value)


def test_without_trusted_proxies_the_header_is_never_read():
    assert address(PROXY, EDGE.encode(), trusted=()) == PROXY


def test_a_unix_socket_is_refused_with_words_on_what_to_set():
    with pytest.raises(AddressNotAllowed, match="no peer address") as caught:
        address(None, EDGE.encode(), unix=True)
    assert "add 'unix' to trusted_proxies" in caught.value.hint


def test_a_trusted_unix_socket_speaks_through_the_header():
    assert address(None, EDGE.encode(), trusted=["unix"], unix=True) == EDGE
    chain = f"{EDGE}, {BALANCER}".encode()
    assert address(None, chain, trusted=["unix", BALANCER], unix=True) == EDGE


def test_a_name_that_a_server_makes_up_for_its_unix_socket_is_no_address():
    assert address("localhost", EDGE.encode(), trusted=["unix"], unix=True) == EDGE
    with pytest.raises(AddressNotAllowed, match="no peer address"):
        address("localhost", EDGE.encode(), unix=True)


def test_a_peer_whose_address_is_lost_is_no_trusted_unix_socket():
    with pytest.raises(AddressNotAllowed, match="reset already") as caught:
        address(None, EDGE.encode(), trusted=["unix"])
    assert caught.value.hint is None


def test_a_trusted_unix_socket_without_the_header_is_refused():
    with pytest.raises(AddressNotAllowed, match=r"sent no X-Forwarded-For") as caught:
        address(None, trusted=["unix"], unix=True)
    assert caught.value.hint


def test_a_field_that_may_be_a_trailer_is_not_believed():
    chunked = [("Transfer-Encoding", b"chunked")]
    with pytest.raises(AddressNotAllowed, match="may be a trailer") as caught:
        address(PROXY, CLIENT.encode(), EDGE.encode(), others=chunked)
    assert "drop trailers" in caught.value.hint
    assert address(PROXY, EDGE.encode(), others=chunked) == EDGE


def test_a_peer_that_a_server_took_from_what_may_be_a_trailer_is_not_believed():
    chunked = [("Transfer-Encoding", b"chunked")]
    with pytest.raises(AddressNotAllowed, match="may be a trailer"):
        address(EDGE, CLIENT.encode(), EDGE.encode(), others=chunked)
    assert address(EDGE, CLIENT.encode(), BALANCER.encode(), others=chunked) == EDGE
    assert address(EDGE, CLIENT.encode(), EDGE.encode()) == EDGE


@pytest.mark.parametrize(
    ("peer", "claim"),
    [
        (EDGE, f"{EDGE}, {CLIENT}"),
        (EDGE, f"{CLIENT},{EDGE}"),
        (EDGE, f"{EDGE}:4711"),
        # What Python takes for white space, and a header may have.
        (EDGE, f"\xa0{EDGE}\x85"),
        (f"::ffff:{EDGE}", f"::ffff:{EDGE}"),
        ("2A04:4E42:0::1", "2A04:4E42:0::1"),
        ("2a04:4e42::1", "[2a04:4e42::1]:443"),
    ],
)
def test_a_claimed_peer_is_known_in_every_spelling_that_a_server_takes(peer, claim):
    chunked = [("Transfer-Encoding", b"chunked")]
    with pytest.raises(AddressNotAllowed, match="may be a trailer"):
        address(peer, CLIENT.encode(), claim.encode("latin-1"), others=chunked)


@pytest.mark.parametrize(
    ("networks", "why"),
    [
        ("10.0.0.0/8", "must be a list"),
        (b"10.0.0.0/8", "must be a list"),
        (["0.0.0.0/0"], "trusted_proxies: .*every address"),
        (["*"], "trusted_proxies: .*not a network"),
        ([""], "trusted_proxies: .*not a network"),
    ],
)
def test_proxies_that_cannot_be_read_or_are_everybody_are_refused(networks, why):
    with pytest.raises(ConfigurationError, match=why):
        TrustedProxies(networks)


def test_the_fields_of_a_trusted_proxy_are_believed_unless_one_may_be_a_trailer():
    proxies = TrustedProxies([PROXY])
    twice = [("X-Forwarded-For", b"192.0.2.1")] * 2
    chunked = ("Transfer-Encoding", b"chunked")

    assert proxies.vouch_for(PlainRequest(peer=PROXY, fields=twice)) is True
    assert proxies.vouch_for(PlainRequest(peer=CLIENT, fields=twice)) is False
    assert proxies.vouch_for(PlainRequest(peer=PROXY, fields=[*twice, chunked])) is False
    assert proxies.vouch_for(PlainRequest(peer=PROXY, fields=[*twice[1:], chunked])) is True


@pytest.mark.parametrize(
    ("networks", "some"), [([], False), ([PROXY], True), (["unix"], True), (["unix", PROXY], True)]
)
def test_proxies_are_true_where_there_is_one(networks, some):
    assert bool(TrustedProxies(networks)) is some

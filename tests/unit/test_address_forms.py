"""A list is read in the form in which its CDN publishes it; the content tells which."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeauth import AddressList, ConfigurationError
from edgeauth.address_files import parse_list, read_list

AWS = {
    "syncToken": "1",
    "createDate": "2026-10-31-20-23-14",
    "prefixes": [
        {"ip_prefix": "120.52.22.96/27", "region": "GLOBAL", "service": "CLOUDFRONT"},
        {"ip_prefix": "130.176.0.0/17", "region": "GLOBAL", "service": "CLOUDFRONT_ORIGIN_FACING"},
        {"ip_prefix": "3.5.140.0/22", "region": "us-east-1", "service": "AMAZON"},
    ],
    "ipv6_prefixes": [
        {"ipv6_prefix": "2600:9000::/28", "service": "CLOUDFRONT"},
        {"ipv6_prefix": "2600:9000:3000::/36", "service": "CLOUDFRONT_ORIGIN_FACING"},
    ],
}
GOOGLE = {
    "syncToken": "1",
    "creationTime": "2026-10-30T19:16:28.780563",
    "prefixes": [{"ipv4Prefix": "34.1.208.0/20"}, {"ipv6Prefix": "2600:1900::/28"}],
}
AZURE = {
    "changeNumber": 363,
    "cloud": "Public",
    "values": [
        {"name": "AzureCloud", "properties": {"addressPrefixes": ["20.0.0.0/11"]}},
        {
            "name": "AzureFrontDoor.Frontend",
            "properties": {"addressPrefixes": ["13.73.248.8/29"]},
        },
        {
            "name": "AzureFrontDoor.Backend",
            "properties": {"addressPrefixes": ["147.243.0.0/16", "2a01:111:2050::/44"]},
        },
    ],
}
CLOUDFLARE = {
    "result": {"ipv4_cidrs": ["173.245.48.0/20"], "ipv6_cidrs": ["2400:cb00::/32"], "etag": "x"},
    "success": True,
}


def read(document):
    text = document if isinstance(document, str) else json.dumps(document)
    return AddressList.from_json(text, "the list")


@pytest.mark.parametrize(
    ("document", "networks", "as_of"),
    [
        pytest.param(AWS, ["130.176.0.0/17", "2600:9000:3000::/36"], "2026-10-31", id="AWS"),
        pytest.param(GOOGLE, ["34.1.208.0/20", "2600:1900::/28"], "2026-10-30", id="Google"),
        pytest.param(AZURE, ["147.243.0.0/16", "2a01:111:2050::/44"], None, id="Azure"),
        pytest.param(CLOUDFLARE, ["173.245.48.0/20", "2400:cb00::/32"], None, id="Cloudflare API"),
        pytest.param(
            "173.245.48.0/20\n103.21.244.0/22",
            ["173.245.48.0/20", "103.21.244.0/22"],
            None,
            id="Cloudflare v4",
        ),
        pytest.param("2400:cb00::/32\n", ["2400:cb00::/32"], None, id="Cloudflare v6"),
        pytest.param(
            "# Akamai\r\n23.32.0.0/11\t\r\n\r\n  2600:1400::/24  # v6\r\n",
            ["23.32.0.0/11", "2600:1400::/24"],
            None,
            id="Akamai",
        ),
        pytest.param(["89.187.188.227"], ["89.187.188.227/32"], None, id="bunny JSON"),
        pytest.param("89.187.188.227\n", ["89.187.188.227/32"], None, id="bunny text"),
        pytest.param("\ufeff89.187.188.227\n", ["89.187.188.227/32"], None, id="with a mark"),
    ],
)
def test_what_counts_of_each_form_is_read(document, networks, as_of, tmp_path):
    file = tmp_path / "list"
    file.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")

    found = AddressList.from_file(file)

    assert [str(net) for net in found.networks] == networks
    assert found.as_of == as_of


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({**AWS, "prefixes": AWS["prefixes"][:1], "ipv6_prefixes": []}, "CLOUDFRONT_ORIGIN_FACING"),
        ({"prefixes": []}, "CLOUDFRONT_ORIGIN_FACING, and none of Google"),
        ({"prefixes": 7}, "wrong shape"),
        ({"prefixes": [7, {"ip_prefix": 7, "service": "CLOUDFRONT_ORIGIN_FACING"}]}, "wrong shape"),
        ({"values": [AZURE["values"][0]]}, "no service tag AzureFrontDoor.Backend"),
        ({"values": [{"name": "AzureFrontDoor.Backend", "properties": 7}]}, "no service tag"),
        (
            {"values": [{"name": "AzureFrontDoor.Backend", "properties": {"addressPrefixes": 7}}]},
            "no service tag",
        ),
        ({"result": {"ipv4_cidrs": 7}, "success": True}, "no networks of Cloudflare"),
        ({"result": None, "success": False}, "no networks of Cloudflare"),
        ([], "wrong shape"),
        ([7], "wrong shape"),
        (["x"], "is not a network"),
        # A number alone is no length.
        (["5"], "is not a network"),
        ("", "is not JSON; expected"),
        ("# nothing but a comment\n", "is not JSON; expected"),
        ("<html>\n", "is not JSON; expected"),
        ("173.245.48.0/20\nsoon\n", "is not JSON; expected"),
        ("173.245.48.0/99\n", "is not a network"),
        ("173.245.48.1/20\n", "is not a network"),
        ("104.0.0.0/5\n", "104.0.0.0/5: no network of a CDN is so wide"),
        ("128.0.0.0/1", "128.0.0.0/1: no network of a CDN is so wide"),
        ("0.0.0.0/0", "so wide"),
        ("2400::/12", "so wide"),
        (["2000::/3"], "so wide"),
        ({**GOOGLE, "prefixes": [{"ipv4Prefix": "34.0.0.0/7"}]}, "so wide"),
        ("::ffff:192.0.2.0/120\n", "IPv4-mapped"),
        # Ours by one name, whatever else is there.
        ({**AWS, "addresses": ["192.0.2.0/24"]}, "has no list 'ipv6_addresses'"),
        ({**AWS, "ipv6_addresses": ["2001:db8::/32"]}, "has no list 'addresses'"),
    ],
)
def test_what_is_no_list_of_a_cdn_is_an_error(document, said):
    with pytest.raises(ConfigurationError, match=said):
        read(document)


def test_a_list_of_fastly_may_have_other_names_beside_it():
    found = read({"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "prefixes": ["x"]})

    assert [str(net) for net in found.networks] == ["192.0.2.0/24"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("192.0.2.0/24"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("prefixes", "ipv6_prefixes", "values", "result", "name", "properties"),
                    *("ip_prefix", "service", "ipv4Prefix", "addressPrefixes", "ipv4_cidrs"),
                    *("createDate", "addresses"),
                ]
            ),
            inner | st.just("AzureFrontDoor.Backend") | st.just("CLOUDFRONT_ORIGIN_FACING"),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON | st.text())
def test_no_document_raises_anything_but_a_configuration_error(document):
    with contextlib.suppress(ConfigurationError):
        assert len(read(document)) > 0


def test_a_list_that_is_not_bundled_says_how_to_get_it():
    with pytest.raises(ConfigurationError, match=r"--cdn cloudflare --file cloudflare\.json"):
        AddressList.bundled("cloudflare")
    assert AddressList.bundled("fastly").as_of == AddressList.fastly().as_of


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("104.0.0.0/8", True),
        ("104.0.0.0/7", False),
        ("2400::/16", True),
        ("2400::/15", False),
    ],
)
def test_no_network_of_a_cdn_is_wider_than_the_widest(text, accepted):
    for document in (text, [text], {**GOOGLE, "prefixes": [{"ipv4Prefix": text}]}):
        if accepted:
            assert len(read(document)) == 1
            continue
        with pytest.raises(ConfigurationError, match=f"^the list.* {text}"):
            read(document)
    # A text of lines has no such length, and of a list it is refused.
    with pytest.raises(ConfigurationError, match="so wide"):
        read(["104.0.0.0/00008"])


FORM = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": ["2001:db8::/32"]}'


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("soon", f"is not JSON; expected {FORM}, what a CDN publishes, or a network a line"),
        ([7], f"has the wrong shape; expected {FORM}"),
        (7, f"has the wrong shape; expected {FORM}"),
        (
            {"prefixes": []},
            "has the wrong shape: it has no prefix of CLOUDFRONT_ORIGIN_FACING, and none of Google",
        ),
        ({"values": []}, "has the wrong shape: it has no service tag AzureFrontDoor.Backend"),
        ({"result": []}, "has the wrong shape: its result has no networks of Cloudflare"),
        ({"addresses": 7, "ipv6_addresses": []}, f"has no list 'addresses'; expected {FORM}"),
        ({"addresses": []}, f"has no list 'ipv6_addresses'; expected {FORM}"),
        ({"ipv6_addresses": []}, f"has no list 'addresses'; expected {FORM}"),
    ],
)
def test_an_error_names_the_list_and_says_what_is_expected(document, said):
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ConfigurationError) as caught:
        parse_list(text, "the list")
    assert str(caught.value) == f"the list {said}"
    assert caught.value.__cause__ is None


def test_the_fields_of_our_own_form_are_handed_over_as_they_are():
    own = {"addresses": ["192.0.2.0/24"], "ipv6_addresses": ["2001:db8::/32"]}
    assert parse_list(json.dumps(own), "a list") == ([*own["addresses"], "2001:db8::/32"], None, {})
    dated = {**own, "as_of": "2026-10", "retiring": {"198.51.100.0/24": "2026-10-31"}}
    assert parse_list(json.dumps(dated), "a list")[1:] == (dated["as_of"], dated["retiring"])
    for retiring in ([], None, "x"):
        with pytest.raises(ConfigurationError) as caught:
            parse_list(json.dumps({**own, "retiring": retiring}), "a list")
        assert str(caught.value) == ('a list: retiring must be like {"192.0.2.0/24": "2026-10-31"}')


@pytest.mark.parametrize(
    ("name", "date", "as_of"),
    [
        ("createDate", "2026-10-31-20-23-14", "2026-10-31"),
        ("creationTime", "2026-10-31T20", "2026-10-31"),
        ("createDate", "2026-10-31", "2026-10-31"),
        ("createDate", "2026-10-311", None),
        ("createDate", " 2026-10-31", None),
        ("createDate", 20261031, None),
        ("created", "2026-10-31", None),
    ],
)
def test_the_date_of_a_published_list_is_a_day_at_its_beginning(name, date, as_of):
    document = {"prefixes": GOOGLE["prefixes"], name: date}
    assert parse_list(json.dumps(document), "a list").as_of == as_of


def test_of_a_published_list_what_is_of_another_kind_is_left_out():
    document = {
        "prefixes": [
            *(7, {}, {"ipv4Prefix": 7}, {"ipv4Prefix": "192.0.2.0/24"}),
            {"ip_prefix": "198.51.100.0/24"},
            {"ip_prefix": "203.0.113.0/24", "service": "CLOUDFRONT_ORIGIN_FACING"},
            {"ipv6_prefix": "2001:db8:1::/48", "service": "CLOUDFRONT"},
            {"ipv4Prefix": "192.0.2.128/25", "ipv6Prefix": "2001:db8:2::/48"},
        ],
        "ipv6_prefixes": 7,
    }
    assert parse_list(json.dumps(document), "a list").networks == [
        *("192.0.2.0/24", "203.0.113.0/24", "192.0.2.128/25", "2001:db8:2::/48"),
    ]
    tags = [7, {"name": "AzureFrontDoor.Backend"}, {"name": "x", "properties": AZURE["values"][2]}]
    document = {"values": [*tags, *AZURE["values"]]}
    assert len(parse_list(json.dumps(document), "a list").networks) == 2
    document = {"result": {"ipv4_cidrs": [7, "192.0.2.0/24"], "ipv6_cidrs": None}}
    assert parse_list(json.dumps(document), "a list").networks == ["192.0.2.0/24"]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("::", True),
        ("1", False),
        ("0123:4567:89ab:cdef:ABCD:EF01:255.255.255.255", True),
        ("f" * 45, True),
        ("f" * 46, False),
        ("::/128", True),
        ("::/1280", False),
        ("::/", False),
        ("g::", False),
        (":: ::", False),
    ],
)
def test_a_line_is_a_network_or_the_text_is_none_of_lines(line, is_one):
    text = f"2001:db8::/32\n {line}\t# why\n"
    if is_one:
        assert parse_list(text, "a list").networks == ["2001:db8::/32", line]
    else:
        with pytest.raises(ConfigurationError, match="is not JSON"):
            parse_list(text, "a list")


def test_the_text_of_a_file_is_read_up_to_its_limit_and_errors_name_it(tmp_path):
    file = tmp_path / "list"
    file.write_bytes(b"x" * (16 << 20))
    assert len(read_list(file, "here")) == 16 << 20
    for content, said in (
        (b"x" * ((16 << 20) + 1), "here is over 16777216 bytes"),
        (b"\xff", "here is not UTF-8 text"),
    ):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError) as caught:
            read_list(file, "here")
        assert str(caught.value) == said
    with pytest.raises(ConfigurationError, match=r"^here cannot be read: No such file") as caught:
        read_list(tmp_path / "none", "here")
    assert caught.value.__cause__ is None

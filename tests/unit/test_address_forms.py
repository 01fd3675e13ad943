"""A list is read in the form in which its CDN publishes it; the content tells which."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeauth import AddressList, ConfigurationError

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

"""An update fetches the list of any CDN, in the form in which that is published."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from support.list_server import answer, list_server

from edgeauth import AddressList, ConfigurationError
from edgeauth.ops.address_update import published
from edgeauth.ops.address_update.published import PUBLISHED, Published, urls_of
from edgeauth.ops.cli import main
from edgeauth.settings import CDNS

V4, V6 = "173.245.48.0/20\n104.16.0.0/13", "2400:cb00::/32\n"
AWS = {
    "createDate": "2026-10-31-20-23-14",
    "prefixes": [{"ip_prefix": "130.176.0.0/17", "service": "CLOUDFRONT_ORIGIN_FACING"}],
    "ipv6_prefixes": [],
}


def addresses(*words):
    return CliRunner().invoke(main, ["addresses", *words])


@pytest.fixture
def two(monkeypatch):
    """Servers that publish Cloudflare's two texts; they are where the command looks by itself."""
    with list_server(answer(V4)) as v4, list_server(answer(V6)) as v6:
        of_test = {**PUBLISHED, "cloudflare": Published((v4.url, v6.url))}
        monkeypatch.setattr(published, "PUBLISHED", of_test)
        yield v4, v6


def test_every_preset_has_a_place_and_the_others_say_where_to_look():
    assert PUBLISHED.keys() == CDNS.keys()
    for name, one in PUBLISHED.items():
        assert all(url.startswith("https://") for url in one.urls)
        if not one.urls:
            with pytest.raises(ConfigurationError, match=f"the list of {name} has no URL"):
                urls_of(name, ())
        assert urls_of(name, ["https://mirror.example/list"]) == ("https://mirror.example/list",)


def test_the_two_texts_of_cloudflare_become_one_file(two, tmp_path):
    file = tmp_path / "edge.json"

    done = addresses("update", "--cdn", "cloudflare", "--file", str(file))

    assert done.exit_code == 0, done.output
    assert "updated: 3 networks" in done.output
    found = AddressList.from_file(file)
    assert [str(net) for net in found.networks] == [
        "173.245.48.0/20",
        "104.16.0.0/13",
        "2400:cb00::/32",
    ]
    document = json.loads(file.read_text())
    assert document["source"] == " ".join(server.url for server in two)
    assert "etag" not in document
    again = addresses("update", "--cdn", "cloudflare", "--file", str(file))
    assert "no change: 3 networks" in again.output


@pytest.mark.usefixtures("two")
def test_the_setting_cdn_says_whose_list_it_is(tmp_path, monkeypatch):
    file = tmp_path / "edge.json"
    monkeypatch.setenv("EDGEAUTH_CDN", "cloudflare")
    monkeypatch.setenv("EDGEAUTH_ADDRESSES", str(file))

    assert addresses("update").exit_code == 0
    assert addresses("diff").output == ""
    assert "173.245.48.0/20" in addresses("show").output


def test_one_of_two_that_fails_changes_nothing(two, tmp_path):
    v4, v6 = two
    v6.behaviour = answer("", status="503 Busy")
    file = tmp_path / "edge.json"

    done = addresses("update", "--cdn", "cloudflare", "--file", str(file))

    assert (done.exit_code, file.exists()) == (1, False)
    assert v4.requests


@pytest.mark.usefixtures("two")
def test_the_list_of_another_cdn_does_not_take_the_place_of_one(tmp_path):
    file = tmp_path / "edge.json"
    file.write_text(json.dumps({"addresses": ["151.101.0.0/16"], "ipv6_addresses": []}))

    refused = addresses("update", "--cdn", "cloudflare", "--file", str(file))
    forced = addresses("update", "--cdn", "cloudflare", "--file", str(file), "--force")

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert "0% of the IPv4 addresses" in refused.output
    assert "- 151.101.0.0/16" in forced.output


def test_a_file_in_a_published_form_is_updated_to_ours(tmp_path):
    file = tmp_path / "edge.txt"
    file.write_text("130.176.0.0/17\n")
    with list_server(answer(AWS)) as server:
        done = addresses("update", "--cdn", "cloudfront", "--file", str(file), "--url", server.url)

    assert done.exit_code == 0, done.output
    assert json.loads(file.read_text())["addresses"] == ["130.176.0.0/17"]


@pytest.mark.parametrize("network", ["10.0.0.0/8", "96.0.0.0/9", "192.168.0.0/24"])
def test_what_is_not_plausible_is_refused_in_every_form(network, tmp_path):
    file = tmp_path / "edge.json"
    with list_server(answer(f"173.245.48.0/20\n{network}\n")) as server:
        done = addresses("update", "--cdn", "bunny", "--file", str(file), "--url", server.url)

    assert (done.exit_code, file.exists()) == (1, False)
    assert network in done.output


@pytest.mark.parametrize("name", ["azure-front-door", "akamai", "google", "netlify"])
def test_where_no_url_stays_the_same_the_command_says_where_to_look(name, tmp_path):
    done = addresses("update", "--cdn", name, "--file", str(tmp_path / "edge.json"))

    assert done.exit_code == 2
    assert "--url" in done.output


def test_a_list_that_is_not_bundled_is_not_shown(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_ADDRESSES", "cloudflare")

    assert "no list of cloudflare comes with edgeauth" in addresses("show").output
    assert "which file?" in addresses("update").output

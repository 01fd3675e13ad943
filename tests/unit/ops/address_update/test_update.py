"""An update that works: what it prints, what it writes, and who is accepted afterwards."""

from __future__ import annotations

import calendar
import json
import stat

import pytest
from support.list_server import answer, list_server

from edgeauth import AddressList, ConfigurationError
from edgeauth.ops.address_update.list_file import ListFile
from edgeauth.ops.address_update.update import Difference, public_list, update

DAY = 86_400
NOW = calendar.timegm((2026, 11, 22, 12, 0, 0))
GONE = "199.232.0.0/16"


def updated(file, document, *fields, now=NOW, **options):
    with list_server(answer(document, *fields)) as server:
        return update(file, server.url, now=now, **options), server


def without(public, network):
    return {**public, "addresses": [net for net in public["addresses"] if net != network]}


def test_the_file_gets_the_list_its_date_and_its_source(file, public):
    public["addresses"].append("146.75.0.0/17")
    done, server = updated(file, public, 'ETag: "1"')
    assert [str(net) for net in done.difference.added] == ["146.75.0.0/17"]
    assert done.difference.removed == ()
    assert json.loads(file.read_text()) == {
        "source": server.url,
        "etag": '"1"',
        "as_of": "2026-11-22",
        **public,
    }
    assert AddressList.from_file(file).as_of == "2026-11-22"


def test_a_network_that_leaves_is_accepted_until_the_end_of_its_last_day(file, public):
    done, _ = updated(file, without(public, GONE), grace_days=3)
    assert [str(net) for net in done.difference.removed] == [GONE]
    stored = json.loads(file.read_text())
    assert stored["retiring"] == {GONE: "2026-11-25"}
    assert GONE not in stored["addresses"]
    midnight = calendar.timegm((2026, 11, 26, 0, 0, 0))
    assert "199.232.1.1" in AddressList.from_file(file, now=midnight - 1)
    assert "199.232.1.1" not in AddressList.from_file(file, now=midnight)


def test_a_reader_that_does_not_know_of_retiring_networks_accepts_less(file, public):
    updated(file, without(public, GONE))
    document = json.loads(file.read_text())
    assert "199.232.1.1" not in AddressList(document["addresses"] + document["ipv6_addresses"])


def test_a_later_update_keeps_the_first_last_day_and_ends_it(file, public):
    shorter = without(public, GONE)
    updated(file, shorter, grace_days=3)
    updated(file, shorter, grace_days=3, now=NOW + 3 * DAY)
    assert json.loads(file.read_text())["retiring"] == {GONE: "2026-11-25"}
    done, _ = updated(file, shorter, now=NOW + 4 * DAY)
    assert [str(net) for net in done.ended] == [GONE]
    assert "retiring" not in json.loads(file.read_text())


@pytest.mark.parametrize("back", [GONE, "199.232.0.0/15"])
def test_a_network_that_comes_back_alone_or_in_a_larger_one_retires_no_more(file, public, back):
    updated(file, without(public, GONE))
    again = without(public, GONE)
    again["addresses"].append(back)
    done, _ = updated(file, again)
    assert "retiring" not in json.loads(file.read_text())
    assert done.ended == ()


def test_no_grace_ends_it_at_once(file, public):
    done, _ = updated(file, without(public, GONE), grace_days=0)
    assert [str(net) for net in done.ended] == [GONE]
    assert "199.232.1.1" not in AddressList.from_file(file)


def test_what_a_server_says_about_retiring_networks_is_not_taken_over(file, public):
    updated(file, {**public, "retiring": {"8.8.8.0/24": "2099-01-01"}, "as_of": "2001-01-01"})
    assert "8.8.8.8" not in AddressList.from_file(file)
    assert AddressList.from_file(file).as_of == "2026-11-22"


def test_the_first_update_is_measured_against_the_bundled_list(tmp_path):
    file = tmp_path / "new.json"
    bundled = ListFile.of(AddressList.fastly())
    document = json.loads(bundled.text())
    left = document["addresses"].pop()
    done, _ = updated(file, document)
    assert [str(net) for net in done.difference.removed] == [left]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_an_unchanged_list_is_asked_for_by_its_etag_and_dated_anew(file, public):
    def behave(head):
        if b'if-none-match: "v1"' in head.lower():
            return iter([b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"])
        return answer(public, 'ETag: "v1"')(head)

    with list_server(behave) as server:
        update(file, server.url, now=NOW)
        done = update(file, server.url, now=NOW + DAY)
        assert not done.difference
        assert AddressList.from_file(file).as_of == "2026-11-23"
        assert json.loads(file.read_text())["etag"] == '"v1"'
        # In doubt, and for another place, the list itself is asked for.
        update(file, server.url, now=NOW, force=True)
        update(file, server.url + "?", now=NOW)
    asked = [b"if-none-match" in head.lower() for head in server.requests]
    assert asked == [False, True, False, False]


def test_the_mode_and_a_symbolic_link_stay(file, public):
    file.chmod(0o640)
    link = file.with_name("link.json")
    link.symlink_to(file.name)
    updated(link, public)
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert json.loads(file.read_text())["as_of"] == "2026-11-22"


def test_a_reader_sees_a_whole_list_at_any_time(file, public):
    reader = file.open()
    updated(file, without(public, GONE))
    assert json.loads(reader.read())["addresses"] == public["addresses"]
    reader.close()


def test_the_difference_leaves_out_what_retires(file, public):
    updated(file, without(public, GONE))
    with list_server(answer(public)) as server:
        change = Difference.between(ListFile.read(file), public_list(server.url))
    assert [str(net) for net in change.added] == [GONE]


@pytest.mark.parametrize(
    "retiring", [[], "x", {"192.0.2.0/24": "soon"}, {"192.0.2.0/24": None}, {"x": "2099-01-01"}]
)
def test_a_file_whose_retiring_networks_cannot_be_read_is_refused(file, public, retiring):
    file.write_text(json.dumps({**public, "retiring": retiring}))
    with pytest.raises(ConfigurationError, match=r"edge\.json"):
        AddressList.from_file(file)

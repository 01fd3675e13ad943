"""The units and the cron line that keep the address list up to date."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
from support.list_server import answer, list_server

from edgeauth import AddressList
from edgeauth.ops.cli import main

FOLDER = Path(__file__).parents[2] / "integrations" / "systemd"
FILE = "/var/lib/edgeauth-addresses/edge.json"


def unit(name):
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string((FOLDER / name).read_text())
    return parser


def commands():
    cron = (FOLDER / "edgeauth-addresses.cron").read_text().splitlines()[-1]
    return {
        "systemd": unit("edgeauth-addresses.service")["Service"]["ExecStart"],
        "cron": cron.split(None, 6)[6],
    }


@pytest.mark.parametrize("which", ["systemd", "cron"])
def test_the_command_updates_the_file(which, tmp_path, capsys):
    words = shlex.split(commands()[which])
    assert words[0] == "/opt/edgeauth/bin/edgeauth"
    assert words[-1] == FILE
    file = tmp_path / "edge.json"
    public = {"addresses": [], "ipv6_addresses": []}
    for network in AddressList.fastly().networks:
        public["addresses" if network.version == 4 else "ipv6_addresses"].append(str(network))
    with list_server(answer(public)) as server:
        main([*words[1:-1], str(file), "--url", server.url], standalone_mode=False)
    assert len(AddressList.from_file(file)) == 21
    assert "no change: 21 networks" in capsys.readouterr().out


def test_the_service_may_write_into_the_folder_of_the_file_alone():
    service = unit("edgeauth-addresses.service")["Service"]
    assert f"/var/lib/{service['StateDirectory']}" == str(Path(FILE).parent)
    assert service["ProtectSystem"] == "strict"
    assert service["User"] == "edgeauth"
    assert service["CapabilityBoundingSet"] == ""


def test_the_cron_line_runs_once_a_day_as_a_user():
    line = (FOLDER / "edgeauth-addresses.cron").read_text().splitlines()[-1]
    assert re.match(r"\d+ \d+ \* \* \* edgeauth /opt", line)

"""ynohat/akamai-g2o, Akamai's own middleware for Node, signs; a real origin verifies.

It is in no package registry. AKAMAI_G2O names a clone of it; without one the rows of
tests/vectors/akamai-g2o.json, which it signed, are what is left of it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from support.odd_requests import odd_requests
from support.programs import program
from support.servers import SERVERS

CLIENT = Path(__file__).parent / "akamai-g2o" / "client.js"
SECRET = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"
VERSIONS = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def peer():
    folder = os.environ.get("AKAMAI_G2O")
    if not folder:
        pytest.skip(
            "AKAMAI_G2O is not set: git clone https://github.com/ynohat/akamai-g2o (commit "
            "047ee91), and let it name the folder"
        )
    return Path(folder)


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    env = {
        "EDGEAUTH_SCHEME": "akamai-g2o",
        "EDGEAUTH_SECRET": SECRET,
        "EDGEAUTH_VERSIONS": ",".join(map(str, VERSIONS)),
    }
    with SERVERS["uvicorn-httptools"].serving("support.gated:asgi", folder, env=env) as origin:
        yield origin.address[1]


def statuses(peer, port, requests):
    done = subprocess.run(
        [program("node"), str(CLIENT), str(peer), str(port)],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [int(line) for line in done.stdout.split()]


def requests(secret=SECRET, key_id="default"):
    dice = random.Random(15)  # noqa: S311
    for place, odd in enumerate(odd_requests(200, seed=15, rare=False)):
        version = VERSIONS[place % 5]
        unique = f"{dice.randrange(10**8)}.{dice.randrange(10**10)}"
        data = f"{version}, 192.0.2.1, 2001:db8::7, {int(time.time())}, {unique}, {key_id}"
        yield {
            "version": version,
            "secret": secret,
            "data": data,
            "target": odd.target,
            "method": odd.method,
        }


def test_what_the_peer_signs_is_accepted_in_each_version(peer, port):
    found = statuses(peer, port, requests())
    assert len(found) == 200
    assert set(found) == {200}


def test_what_the_peer_signs_with_another_secret_or_for_another_key_is_refused(peer, port):
    assert set(statuses(peer, port, requests(secret="x" * 32))) == {403}
    assert set(statuses(peer, port, requests(key_id="another"))) == {403}


def test_what_it_signs_in_one_version_and_names_another_is_refused(peer, port):
    mixed = [{**request, "version": request["version"] % 5 + 1} for request in requests()]
    assert set(statuses(peer, port, mixed)) == {403}

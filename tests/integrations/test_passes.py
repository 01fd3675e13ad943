"""A pass through each proxy and the service: let in, logged, counted, kept from the app."""

from __future__ import annotations

import json

import pytest
from support.proxies import KINDS, proxying
from support.service import SECRET, question, serving, short_folder
from support.upstream import telling_application

from edgeauth import Passes

PASS_SECRET = "a-secret-that-signs-passes-only"


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def behind(request):
    with short_folder() as folder, telling_application() as upstream:
        (folder / "pass").write_text(PASS_SECRET + "\n")
        guard = (
            f'secret = "{SECRET}"\npass_secret_file = "{folder}/pass"\naddresses = "fastly"\n'
            'revoked_passes = ["0a"]\n'
        )
        with (
            serving(guard, f'proxy = "{request.param.proxy}"', folder=folder) as service,
            proxying(request.param, folder, str(service.address), upstream) as proxy,
        ):
            yield service, proxy


def ask(proxy, *values, target="/page"):
    fields = [("Edge-Auth-Pass", value) for value in values]
    (answer,) = proxy.send(question(*fields, target=target), "GET")
    return answer


def test_a_pass_reaches_the_application_which_does_not_see_it(behind):
    service, proxy = behind
    value, issued = Passes(PASS_SECRET).issue("alice", ttl=60)
    answer = ask(proxy, value)
    assert answer.status == 200
    told = json.loads(answer.body)["headers"]
    assert "edge-auth-pass" not in told
    log = service.log.read_text()
    assert f"holder='alice' pass='{issued.id}'" in log
    assert value not in log
    assert service.metric("edgeauth_decisions_total", result="allow", reason="pass") == 1
    assert service.metric("edgeauth_verified_total", key_id="pass:alice", pop="") == 1


def test_a_pass_for_another_path_or_of_another_secret_does_not(behind):
    _, proxy = behind
    narrow, _ = Passes(PASS_SECRET).issue("alice", ttl=60, paths=["/page"])
    foreign, _ = Passes("another-secret-of-passes").issue("alice", ttl=60)
    assert ask(proxy, narrow).status == 200
    assert ask(proxy, narrow, target="/other").status == 403
    assert ask(proxy, foreign).status == 403
    assert ask(proxy).status == 403

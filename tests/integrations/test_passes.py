"""A pass through each proxy and the service: let in, logged, counted, kept from the app."""

from __future__ import annotations

import json

import pytest
from support.files import replace
from support.processes import wait_until
from support.proxies import KINDS, proxying
from support.service import SECRET, question, serving, short_folder
from support.upstream import telling_application

from edgeauth import Passes, sign

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
            serving(
                guard, f'proxy = "{request.param.proxy}"', folder=folder, tcp=request.param.tcp
            ) as service,
            proxying(request.param, folder, service.address, upstream) as proxy,
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
    assert (
        service.metric("edgeauth_verified_total", scheme="pass", key_id="pass:alice", pop="") == 1
    )


def test_a_pass_for_another_path_or_of_another_secret_does_not(behind):
    _, proxy = behind
    narrow, _ = Passes(PASS_SECRET).issue("alice", ttl=60, paths=["/page"])
    foreign, _ = Passes("another-secret-of-passes").issue("alice", ttl=60)
    assert ask(proxy, narrow).status == 200
    assert ask(proxy, narrow, target="/other").status == 403
    assert ask(proxy, foreign).status == 403
    assert ask(proxy).status == 403


def test_a_pass_is_revoked_in_a_running_service_though_its_configuration_is_spoilt(tmp_path):
    for name, text in {"secrets": f"a:{SECRET}\n", "pass": PASS_SECRET, "revoked": ""}.items():
        (tmp_path / name).write_text(text)
    lost, named = Passes(PASS_SECRET).issue("alice", ttl=600)
    kept, _ = Passes(PASS_SECRET).issue("bob", ttl=600)
    guard = (
        f'secrets_file = "{tmp_path}/secrets"\npass_secret_file = "{tmp_path}/pass"\n'
        f'revoked_passes_file = "{tmp_path}/revoked"\nwatch_interval = 0.05\n'
    )
    with serving(guard, "workers = 2") as service:

        def lets_in(value):
            return service.ask(("Edge-Auth-Pass", value)).status == 204

        def generation(number):
            wait_until(
                lambda: service.readiness()["workers"] == [number] * 2, what=f"state {number}"
            )

        assert lets_in(lost)
        assert lets_in(kept)
        # A reload would stumble over it; what is watched does not need it.
        service.config.write_text("not toml")
        replace(tmp_path / "revoked", f"{named.id}\n")
        generation(2)
        assert not lets_in(lost)
        assert lets_in(kept)

        (tmp_path / "pass").unlink()
        generation(3)
        assert not lets_in(kept)
        assert service.ask(("Edge-Auth", sign(SECRET, pop="LHR"))).status == 204
        said = "CANNOT BE USED, no pass is accepted: pass_secret_file"
        wait_until(lambda: said in service.log.read_text(), what="the line about it")

        replace(tmp_path / "secrets", f"b:{SECRET[::-1]}\n")
        generation(4)
        assert service.ask(("Edge-Auth", sign(SECRET, pop="LHR"))).status == 403

        replace(tmp_path / "pass", PASS_SECRET)
        generation(5)
        assert lets_in(kept)
        assert not lets_in(lost)
        assert PASS_SECRET not in service.log.read_text()

"""``edgeauth serve`` takes over the files that change, without a signal."""

from __future__ import annotations

import json
import signal

from support.files import replace
from support.processes import wait_until
from support.service import ORIGINAL, serving

from edgeauth import sign

OLD, NEW = "the-secret-of-last-november", "the-secret-of-this-december"


def status(service, secret):
    value = sign(secret, pop="LHR")
    return service.ask(*ORIGINAL, ("Edge-Auth", value)).status


def test_a_key_that_is_rotated_in_its_file_is_rotated_in_all_workers(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"old:{OLD}\n")
    guard = f'secrets_file = "{file}"\nwatch_interval = 0.05'
    with serving(guard, "workers = 2") as service:

        def takes(content):
            before = service.readiness()["generation"]
            replace(file, content)
            wait_until(lambda: min(service.readiness()["workers"]) > before, what="the reload")

        assert (status(service, OLD), status(service, NEW)) == (204, 403)
        takes(f"old:{OLD}\nnew:{NEW}\n")
        assert {status(service, secret) for secret in (OLD, NEW) for _ in range(4)} == {204}

        replace(file, "new:")
        wait_until(lambda: "CANNOT BE USED" in service.log.read_text())
        assert {status(service, secret) for secret in (OLD, NEW) for _ in range(4)} == {204}

        takes(f"new:{NEW}\n")
        assert [status(service, secret) for secret in (OLD, NEW)] == [403, 204]


def test_files_that_do_not_change_reload_nothing(tmp_path):
    keys, listed = tmp_path / "secrets", tmp_path / "list.json"
    keys.write_text(f"old:{OLD}\n")
    form = {"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}
    listed.write_text(json.dumps(form))
    guard = f'secrets_file = "{keys}"\naddresses = "{listed}"\nwatch_interval = 0.01'
    with serving(guard) as service:
        assert service.readiness()["generation"] == 1
        replace(listed, json.dumps({**form, "addresses": ["198.51.100.0/24"]}))
        wait_until(lambda: service.readiness()["generation"] == 2)
        replace(keys, keys.read_text())
        replace(listed, listed.read_text())
        replace(keys, f"new:{NEW}\n")
        wait_until(lambda: service.readiness()["generation"] == 3)


def test_a_mistake_elsewhere_in_the_configuration_does_not_keep_a_removed_key_in_force(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"old:{OLD}\n")
    with serving(f'secrets_file = "{file}"\nwatch_interval = 0.05') as service:
        service.config.write_text("nonsense")
        replace(file, f"new:{NEW}\n")
        wait_until(lambda: status(service, NEW) == 204 and status(service, OLD) == 403)
        assert "RELOAD FAILED" not in service.log.read_text()
        # What was adopted is not lost to a SIGHUP that cannot read the rest.
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "RELOAD FAILED, generation 2 stays" in service.log.read_text())
        assert (status(service, NEW), status(service, OLD)) == (204, 403)


def test_what_no_worker_could_start_with_is_not_sent_to_one_and_tried_again(tmp_path):
    file, logs = tmp_path / "secrets", tmp_path / "logs"
    file.write_text(f"old:{OLD}\n")
    logs.mkdir()
    guard = f'secrets_file = "{file}"\nwatch_interval = 0.05\ndecisions = "{logs}/decisions"'
    with serving(guard) as service:
        # The first decision makes the file, and there was none.
        logs.rmdir()
        replace(file, f"new:{NEW}\n")
        wait_until(lambda: "RELOAD FAILED, generation 1 stays" in service.log.read_text())
        assert (status(service, NEW), status(service, OLD)) == (403, 204)
        logs.mkdir()
        wait_until(lambda: status(service, NEW) == 204 and status(service, OLD) == 403)
        assert service.metric("edgeauth_restarts_total") == 0


def test_the_service_says_once_that_its_address_list_is_old(tmp_path):
    listed = tmp_path / "list.json"
    listed.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}')
    guard = f'secret = "{OLD}"\naddresses = "{listed}"\nwatch_interval = 0.05'
    with serving(guard, "workers = 2") as service:
        replace(listed, listed.read_text().replace("192.0.2.0", "198.51.100.0"))
        wait_until(lambda: service.readiness()["workers"] == [2, 2])
        assert service.log.read_text().count("the address list is as of 2020-01, ") == 1

"""The pods of the chart run: the image's command, with its mounts, its user, a read-only root."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from support.helm import rendered
from support.kubelet import Volume
from support.pod import ADDRESS, ELSEWHERE, IMAGE, Pod, require_runtime
from support.processes import wait_until
from support.programs import program
from support.service import question, short_folder
from support.wire import connect

import edgeauth
from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSigner

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = "the-old-secret-of-the-pods"
NEW = "the-new-secret-of-the-pods"
KEYS = {"edge-2026-11": OLD}
REDIS = "10.244.9.9"


@contextlib.contextmanager
def running(documents: list[dict[str, Any]], **secrets: dict[str, str]) -> Iterator[Pod]:
    """A pod of *documents* that is ready, until the block ends."""
    require_runtime()
    given = {"edgeauth-keys": KEYS, "shop-edge-keys": KEYS, **secrets}
    with short_folder() as folder:
        pod = Pod(documents, given, folder)
        try:
            pod.start()
            pod.wait_until_ready()
            yield pod
        finally:
            pod.end()


@pytest.fixture(scope="module")
def pod() -> Iterator[Pod]:
    with running(rendered("default")) as found:
        yield found


def signed(secret: str = OLD) -> bytes:
    return question(("Edge-Auth", edgeauth.sign(secret, pop="LHR")))


def keys(pod: Pod) -> Volume:
    volume = pod.volumes["keys"]
    assert isinstance(volume, Volume)
    return volume


def deployment(documents: list[dict[str, Any]]) -> dict[str, Any]:
    [found] = [document for document in documents if document["kind"] == "Deployment"]
    return found["spec"]["template"]["spec"]


class TestImage:
    def test_it_has_no_shell_and_nothing_that_gives_rights(self):
        require_runtime()
        root = IMAGE / "bundle" / "rootfs"
        files = [path for path in root.rglob("*") if path.is_file()]
        programs = {
            str(path.relative_to(root))
            for path in files
            if path.stat().st_mode & stat.S_IXUSR
            and ".so" not in path.name
            and "python3.11" not in path.parent.parts
        }

        assert programs == {"usr/bin/python3.11", "usr/local/bin/edgeauth"}
        assert not [path for path in files if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]

    def test_it_has_what_every_scheme_and_every_store_needs(self, pod: Pod):
        code = (
            "import sqlite3, ssl, redis, jwt, uvloop, httptools\n"
            "import cryptography.hazmat.bindings._rust\n"
            "assert ssl.create_default_context().get_ca_certs()"
        )

        done = pod.execute("/usr/bin/python3.11", "-I", "-c", code)

        assert (done.returncode, done.stderr) == (0, "")


class TestPod:
    def test_it_is_ready_and_alive_as_its_probes_say(self, pod: Pod):
        assert pod.probe("readinessProbe")
        assert pod.probe("livenessProbe")

    def test_what_is_signed_comes_in_and_nothing_else_does(self, pod: Pod):
        assert pod.ask(signed()).status == 204
        assert pod.ask(question()).status == 403
        assert pod.ask(signed(NEW)).status == 403

    def test_pods_of_the_proxy_alone_are_believed_about_the_original_request(self, pod: Pod):
        exempt = question(
            ("X-Original-URL", "https://shop.example/healthz"), ("X-Original-Method", "GET")
        )

        assert pod.ask(exempt).status == 204
        assert pod.ask(exempt, ELSEWHERE).status == 403

    def test_no_process_has_a_right_or_can_get_one(self, pod: Pod):
        for process in pod.processes():
            lines = (process / "status").read_text().splitlines()
            found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)

            assert found["Uid"].split() == found["Gid"].split() == ["65532"] * 4
            assert found["Groups"].split() == ["65532"]
            assert {
                int(found[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")
            } == {0}
            assert found["NoNewPrivs"] == "1"
            assert found["Seccomp"] == "2"

    def test_its_root_and_its_keys_are_read_only(self, pod: Pod):
        lines = (pod.processes()[0] / "mountinfo").read_text().splitlines()
        options = {line.split()[4]: line.split()[5].split(",") for line in lines}

        for place in ("/", "/etc/edgeauth", "/run/secrets/edgeauth"):
            assert "ro" in options[place]

    def test_it_needs_no_more_memory_than_it_asks_for(self, pod: Pod):
        texts = [(process / "smaps_rollup").read_text() for process in pod.processes()]
        shares = [
            line.split() for text in texts for line in text.splitlines() if line[:4] == "Pss:"
        ]

        assert len(shares) == 3
        assert sum(int(share[1]) << 10 for share in shares) < pod.bytes_of("requests")

    def test_its_metrics_count(self, pod: Pod):
        pod.ask(signed())

        assert 'edgeauth_verified_total{key_id="edge-2026-11"' in pod.get("admin", "/metrics")[1]

    def test_the_doctor_finds_no_fault_with_how_the_kubelet_mounts_keys(self, pod: Pod):
        folder = keys(pod).folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o1777

        done = pod.execute(
            "/usr/local/bin/edgeauth", "doctor", "--config", "/etc/edgeauth/edgeauth.toml"
        )

        assert done.stderr == ""
        # Whether something keeps the clock is the machine's business.
        assert set(re.findall(r"^[A-Z]+ +([a-z-]+)$", done.stdout, re.MULTILINE)) <= {
            "clock-unkept"
        }


def test_keys_that_the_kubelet_swaps_come_into_force_without_a_restart():
    with running(rendered("default")) as pod:
        before = [process.name for process in pod.processes()]
        keys(pod).write({**KEYS, "edge-2026-12": NEW})
        wait_until(lambda: pod.ask(signed(NEW)).status == 204, what="the new key")
        assert pod.ask(signed()).status == 204

        keys(pod).write({"edge-2026-12": NEW})
        wait_until(lambda: pod.ask(signed()).status == 403, what="the end of the old key")

        assert pod.ask(signed(NEW)).status == 204
        assert [process.name for process in pod.processes()] == before
        assert pod.probe("readinessProbe")


def test_keys_under_a_sub_path_stay_what_they_were():
    """Why there is no subPath in the manifests."""
    quickly = ["--set-string", 'config=secrets_dir = "/run/secrets/edgeauth"\nwatch_interval = 1\n']
    documents = rendered("default", *quickly)
    [container] = deployment(documents)["containers"]
    for mount in container["volumeMounts"]:
        if mount["name"] == "keys":
            mount |= {"mountPath": "/run/secrets/edgeauth/edge-2026-11", "subPath": "edge-2026-11"}
    with running(rendered("default", *quickly)) as folder, running(documents) as file:
        for pod in (folder, file):
            keys(pod).write({"edge-2026-11": NEW})
        wait_until(lambda: folder.ask(signed(NEW)).status == 204, what="the new key")

        assert file.ask(signed(NEW)).status == 403
        assert file.ask(signed()).status == 204


def test_variables_for_a_service_of_its_name_are_taken_for_no_settings():
    """Though the manifests ask for none of them: enableServiceLinks."""
    documents = rendered("default")
    del deployment(documents)["enableServiceLinks"]
    with running(documents) as pod:
        environ = (pod.processes()[0] / "environ").read_text()

        assert "EDGEAUTH_PORT=tcp://" in environ
        assert pod.ask(signed()).status == 204


def test_sighup_reaches_it_as_process_1_and_sigterm_ends_it_within_the_grace():
    with running(rendered("default")) as pod:
        os.kill(pod.pid, signal.SIGHUP)
        wait_until(lambda: '"workers": [2]' in pod.get("admin", "/readyz")[1], what="the reload")
        with pod.network():
            kept = connect((ADDRESS, pod.port("question")))
        with kept:  # as an ingress keeps its connections
            assert pod.terminate() == 0
        assert "drained" in pod.log.read_text()


def once(target: str = "/pay") -> bytes:
    fields = MessageSigner(Key("edge-2026-11", OLD)).sign("GET", target, "shop.example")
    return question(
        ("X-Original-URL", f"https://shop.example{target}"),
        ("X-Original-Method", "GET"),
        *fields.items(),
    )


def test_with_one_pod_a_signature_is_good_once_by_the_file_of_its_workers():
    with running(rendered("one-pod")) as pod:
        sent = once()

        assert [pod.ask(sent).status for _ in range(4)] == [204, 403, 403, 403]


def test_with_redis_a_signature_is_good_once_and_the_password_is_nowhere_to_be_read():
    password = "the-password-of-the-store"
    url = {"url": f"redis://:{password}@{REDIS}:6379/0"}
    with running(rendered("redis"), **{"edgeauth-redis": url}) as pod:
        pod.run_inside(program("ip"), "address", "add", f"{REDIS}/32", "dev", "lo")
        options = ["--bind", REDIS, "--requirepass", password, "--save", "", "--port", "6379"]
        with subprocess.Popen(
            pod.inside(program("redis-server"), *options, "--dir", pod.folder),
            stdout=subprocess.DEVNULL,
        ) as store:
            try:
                wait_until(lambda: pod.ask(once()).status == 204, what="the store")
                sent = once()
                assert [pod.ask(sent).status for _ in range(4)] == [204, 403, 403, 403]
                assert (
                    "redis"
                    in pod.execute(
                        "/usr/local/bin/edgeauth",
                        "check-config",
                        "--config",
                        "/etc/edgeauth/edgeauth.toml",
                    ).stdout
                )
                assert password not in pod.log.read_text()
            finally:
                store.terminate()


def test_with_addresses_the_address_that_the_load_balancer_tells_is_checked():
    with running(rendered("trusted-proxies")) as pod:

        def asked(address: str) -> int:
            signature = ("Edge-Auth", edgeauth.sign(OLD, pop="LHR"))
            return pod.ask(question(("X-Forwarded-For", address), signature)).status

        assert asked("151.101.0.1, 10.0.0.9") == 204
        assert asked("192.0.2.77, 10.0.0.9") == 403


def test_in_report_only_everything_comes_in_and_is_counted():
    with running(rendered("report-only")) as pod:
        assert pod.ask(question()).status == 204
        assert "edgeauth_decisions_total" in pod.get("admin", "/metrics")[1]

"""docs/guides/kubernetes.md, followed; what it leaves in the cluster is run."""

from __future__ import annotations

import base64
import re
import shlex
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import yaml
from support.cluster import install, sent, stored
from support.edge_tools import INTEGRATIONS
from support.helm import helm_program, validate
from support.pages import Command, File, follow, steps, without_settings
from support.pod import Pod, require_runtime
from support.programs import program
from support.service import question, short_folder

import edgeauth

PAGE = INTEGRATIONS.parent / "docs" / "guides/kubernetes.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = [step for step in steps(TEXT) if isinstance(step, Command)]


class Followed(NamedTuple):
    """What each command printed, what the cluster has in the end and was sent, and the keys."""

    printed: list[str]
    documents: list[dict[str, Any]]
    sent: list[dict[str, Any]]
    keys: dict[str, str]


@cache
def followed() -> Followed:
    kubectl = program("kubectl", package="kubernetes-client")
    with TemporaryDirectory() as name:
        folder = Path(name)
        work = folder / "clone"
        work.mkdir()
        (work / "integrations").symlink_to(INTEGRATIONS)
        env = without_settings() | install(folder, kubectl, helm_program())
        printed = follow(steps(TEXT), work, env, {})
        keys = {path.name: path.read_text().strip() for path in (work / "keys").iterdir()}
        return Followed(printed, stored(folder), sent(folder), keys)


def test_each_command_was_run():
    assert len(followed().printed) == len(COMMANDS) > 15


@pytest.mark.parametrize("place", range(len(COMMANDS)))
def test_each_command_prints_what_the_page_says(place: int):
    command, said = COMMANDS[place], followed().printed[place]

    assert command.printed(said), f"{command.line}\n{said}"


def test_all_that_the_page_sends_is_what_kubernetes_takes():
    kinds = set()
    for document in followed().sent:
        if document["kind"] != "ServiceMonitor":  # whose schema is its operator's
            validate(document)
        kinds.add(document["kind"])

    assert {"Secret", "Deployment", "Ingress", "ConfigMap", "NetworkPolicy"} < kinds


def test_what_the_page_leaves_in_the_cluster_runs_and_knows_the_newest_key_alone():
    require_runtime()
    documents = followed().documents
    ours = [one for one in documents if one["metadata"]["name"] == "edgeauth"]
    secrets = {
        one["metadata"]["name"]: {
            name: base64.b64decode(value).decode() for name, value in one["data"].items()
        }
        for one in documents
        if one["kind"] == "Secret"
    }
    assert list(followed().keys) == list(secrets["edgeauth-keys"]) == ["edge-2026-12"]
    with short_folder() as folder:
        pod = Pod(ours, secrets, folder)
        try:
            pod.start()
            pod.wait_until_ready()
            signed = edgeauth.sign(followed().keys["edge-2026-12"], pop="LHR")

            assert pod.ask(question(("Edge-Auth", signed))).status == 204
            assert pod.ask(question()).status == 403

            [asked] = re.findall(r"^\$ kubectl exec .* -- (.*)$", TEXT, re.MULTILINE)
            done = pod.execute(*shlex.split(asked), "--over=0.1")
            assert "edge-2026-12  newest" in done.stdout, done.stderr
        finally:
            pod.end()


def test_the_page_has_the_annotations_of_the_shipped_file_and_the_version_of_the_package():
    [shown] = [step for step in steps(TEXT) if isinstance(step, File) and "ingress" in step.name]
    ours = yaml.safe_load_all((INTEGRATIONS / "nginx" / "ingress-nginx.yaml").read_text())

    def words(documents) -> tuple:
        ingress, question_fields = documents
        return ingress["metadata"]["annotations"], question_fields["data"]

    assert words(yaml.safe_load_all(shown.text)) == words(ours)
    assert set(re.findall(r"/edgeauth:([\d.]+)", TEXT)) == {edgeauth.__version__}


def test_no_block_of_the_page_is_left_out():
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)

    files = [step for step in steps(TEXT) if isinstance(step, File)]
    assert [text for kind, text in blocks if kind != "console"] == [file.text for file in files]
    for file in files:
        assert any(file.name in command.line for command in COMMANDS)

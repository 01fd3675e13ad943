"""The matrix of kinds: a sample of it, and holes that are made on purpose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from differential.kinds import peers
from differential.kinds.table import EDGE, FRONT_DOOR, KINDS
from differential.matrix import run_of
from edgeauth.schemes.registry import built_in_kinds

if TYPE_CHECKING:
    import subprocess

_GATES = ("asgi", "django-asgi", "wsgi", "django-wsgi", "flask")


def looked(*arguments: str, planted: str | None = None) -> subprocess.CompletedProcess[str]:
    """A run of the matrix, at gates with the hole *planted*."""
    return run_of("differential.kinds.run", *arguments, planted=planted)


def test_each_kind_of_the_package_is_in_one_of_the_two_matrices():
    here = {kind.settings["scheme"] for kind in KINDS.values()}

    assert here | {"edge-auth", "shared-secret"} == set(built_in_kinds())
    assert all(callable(getattr(peers, kind.peer)) for kind in KINDS.values())


def test_behind_every_adapter_each_kind_lets_in_and_refuses_as_its_peer_does():
    run = looked("--cases", "360", "--served", "0")

    assert run.returncode == 0, run.stdout
    gates = [(kind, gate) for kind in KINDS for gate in _GATES]
    gates += [(name, "service") for name, kind in KINDS.items() if kind.service]
    for kind, gate in gates:
        # Of nothing but refusals nothing would be learnt, nor of none.
        assert re.search(rf"(?m)^{kind}: {gate}: 403 \d+.*, in \d+$", run.stdout), (kind, gate)


@pytest.mark.parametrize("server", ["granian", "uwsgi"])
def test_over_sockets_they_do_too(server):
    run = looked("--cases", "0", "--served", "96", "--server", server)

    assert run.returncode == 0, run.stdout
    assert re.search(rf"(?m)^{server}: .*403 \d+.*let in \d+", run.stdout)


@pytest.mark.parametrize(
    ("planted", "kind", "sentence"),
    [
        ("targets in any case", "akamai-g2o", "akamai_g2o does not accept"),
        ("targets without their query", "message-signatures", "does not accept"),
        ("HEAD that is GET", "alibaba-oss-v4", "alibaba_oss_v4 does not accept"),
        ("the last of two fields", "signed-token", "signed_token does not accept"),
        ("underscores that are dashes", "client-certificate", "client_certificate does not"),
        ("times that never end", "azure-shared-key", "azure_shared_key does not accept"),
        ("a store that forgets", "aws-sigv4", "let it in a second time"),
        ("bodies that nobody compares", "message-with-body", "does not accept"),
        ("fields that stay", "azure-front-door", "to the application"),
    ],
)
def test_a_planted_hole_is_found_and_kept(planted, kind, sentence):
    run = looked("--cases", "240", "--served", "0", "--kind", kind, planted=planted)

    assert run.returncode == 1, run.stdout
    assert sentence in run.stdout
    lines = [line.strip() for line in run.stdout.splitlines()]
    kept = next(line for line in lines if f".fuzz/differential/{kind}-5" in line)
    assert lines[lines.index(kept) + 1] == repr(Path(kept).read_bytes())


def test_a_planted_hole_is_found_over_sockets():
    arguments = ("--cases", "0", "--served", "20", "--server", "granian", "--kind", "akamai-g2o")

    run = looked(*arguments, planted="a store that forgets")

    assert run.returncode == 1, run.stdout
    assert "granian: it was let in a second time" in run.stdout


def test_a_kept_request_is_looked_at_again(tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(
        b"GET / HTTP/1.1\r\nHost: shop.example\r\nKind-Gate: 0 azure-front-door\r\n"
        b"Connection: close\r\nX-Forwarded-For: %b\r\nX-Azure-FDID: x\r\nX-Azure-FDID: %b\r\n\r\n"
        % (EDGE.encode(), FRONT_DOOR.encode())
    )

    assert looked(str(kept)).returncode == 0
    assert looked(str(kept), planted="the last of two fields").returncode == 1

"""Every VCL file passes falco's linter at its strictest."""

from __future__ import annotations

import re

import pytest
from support import edge_tools
from support.vcl import VCL, generated, lint, service

MAIN = (VCL / "main.vcl").read_text()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(MAIN, id="main.vcl with edgeauth.vcl"),
        pytest.param(MAIN.replace('"edgeauth"', '"shared_secret"'), id="shared_secret.vcl"),
        pytest.param(generated(), id="the snippets"),
    ],
)
def test_the_linter_has_nothing_to_say_of(text, tmp_path):
    assert lint(edge_tools.falco_linter(), service(text, secret="x" * 16), tmp_path, VCL) == []


def test_the_linter_sees_a_mistake(tmp_path):
    broken = service(MAIN.replace("call edgeauth_sign;", "call edgeauth_sing;"), secret=None)
    assert "edgeauth_sing" in lint(edge_tools.falco_linter(), broken, tmp_path, VCL)[0]


@pytest.mark.parametrize("file", ["edgeauth.vcl", "shared_secret.vcl"])
def test_what_a_visitor_sent_as_a_credential_is_removed_on_arrival(file):
    """The simulator shows it too, where it is installed."""
    _, _, arrive = (VCL / file).read_text().partition("sub edgeauth_arrive {")
    removed = [line.strip() for line in arrive.partition("}")[0].splitlines() if line.strip()]

    assert removed == ["unset req.http.Edge-Auth;", "unset req.http.Edge-Auth-Pass;"]


def test_both_signers_have_room_in_one_service_under_the_names_of_the_migration_page(tmp_path):
    signed = (VCL / "message_signatures.vcl").read_text().replace("edgeauth_", "edgeauth_signed_")
    calls = re.sub(r"( *call edgeauth)(_\w+;\n)", r"\1\2\1_signed\2", MAIN)
    both = service(calls.replace("\nsub ", f"\n{signed}\nsub ", 1), secret="x" * 16)
    assert calls.count("edgeauth_signed_") == 4
    assert lint(edge_tools.falco_linter(), both, tmp_path, VCL) == []

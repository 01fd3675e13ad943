"""docs/migration.md under load: from ``edge-auth`` to ``message-signatures``, nobody refused."""

from __future__ import annotations

import contextlib

import pytest

from migration.edge import BOTH, EDGE_AUTH, ONCE, SIGNATURES, Edge, ask, keys_in
from migration.origins import asked, gunicorn, machines

RESETTING = "gunicorn with uvicorn's worker"
ORIGINS = {
    "gunicorn": lambda folder, keys: gunicorn(folder, keys, "rotation.wsgi_app:app"),
    RESETTING: lambda folder, keys: gunicorn(
        folder, keys, "--worker-class=uvicorn_worker.UvicornWorker", "rotation.asgi_app:app"
    ),
    "two machines with uvicorn": machines,
    "nginx and edgeauth serve": asked,
}


@contextlib.contextmanager
def under_load(name, folder):
    """An origin that takes Edge-Auth, and an edge that sends it all the time."""
    keys = keys_in(folder)
    # uvicorn resets connections that it has accepted and not read when it stops.
    tries = 3 if name == RESETTING else 1
    with (
        ORIGINS[name](folder, keys) as origin,
        Edge(keys.signer, *origin.ports, tries=tries) as edge,
    ):
        edge.answered(20)
        yield origin, edge
        edge.answered(20)
    assert edge.wrong == []


def ends_with_signatures_alone(origin, edge):
    for port in origin.ports:
        # Of each worker, whichever answers.
        old = {edge.ask(port, EDGE_AUTH).status for _ in range(12)}
        assert old == {403}
        assert edge.ask(port, {}).status == 403
        both = {edge.ask(port, BOTH).status for _ in range(12)}
        assert both == {200}


@pytest.mark.parametrize("name", ORIGINS)
def test_an_edge_that_sends_both_before_the_origin_takes_both_is_never_refused(name, tmp_path):
    with under_load(name, tmp_path) as (origin, edge):
        edge.sends(BOTH)
        origin.change(BOTH, edge, None)
        origin.change(SIGNATURES, edge, None)
        edge.sends(SIGNATURES)
        ends_with_signatures_alone(origin, edge)


@pytest.mark.parametrize("name", ORIGINS)
def test_an_edge_that_changes_while_the_origin_does_is_never_refused(name, tmp_path):
    with under_load(name, tmp_path) as (origin, edge):
        origin.change(BOTH, edge, midway=BOTH)
        origin.change(SIGNATURES, edge, midway=SIGNATURES)
        ends_with_signatures_alone(origin, edge)
        origin.change(ONCE, edge, None)
        copied = edge.fields(origin.ports[0], SIGNATURES)
        assert [ask(origin.ports[0], copied).status for _ in range(6)] == [200, *[403] * 5]


@pytest.mark.parametrize("name", ORIGINS)
def test_an_edge_that_switches_at_once_after_the_origin_takes_both_is_never_refused(name, tmp_path):
    with under_load(name, tmp_path) as (origin, edge):
        origin.change(BOTH, edge, None)
        edge.sends(SIGNATURES)
        edge.answered(20)
        origin.change(SIGNATURES, edge, None)
        ends_with_signatures_alone(origin, edge)


def test_each_step_can_be_taken_back_with_nobody_refused(tmp_path):
    with under_load("gunicorn", tmp_path) as (origin, edge):
        for takes in (BOTH, SIGNATURES, ONCE, SIGNATURES, BOTH, EDGE_AUTH):
            origin.change(takes, edge, midway=BOTH)
        edge.sends(EDGE_AUTH)


def test_an_edge_that_switches_before_the_origin_takes_both_is_refused(tmp_path):
    keys = keys_in(tmp_path)
    with (
        ORIGINS["gunicorn"](tmp_path, keys) as origin,
        Edge(keys.signer, *origin.ports) as edge,
    ):
        edge.sends(SIGNATURES)
        edge.answered(4)
    assert {(sends, answer.status) for sends, answer in edge.wrong} == {(SIGNATURES, 403)}


def test_the_metrics_of_the_service_stand_still_when_nobody_uses_the_old_scheme(tmp_path):
    with under_load("nginx and edgeauth serve", tmp_path) as (origin, edge):
        origin.change(BOTH, edge, None)
        edge.sends(SIGNATURES)
        old, new = origin.verified("edge-auth"), origin.verified("message-signatures")
        edge.answered(20)
        assert origin.verified("edge-auth") == old > 0
        assert origin.verified("message-signatures") > new

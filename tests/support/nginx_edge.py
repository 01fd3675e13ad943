"""nginx as an edge, with njs inside."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING

from support.edge_tools import INTEGRATIONS
from support.processes import HOST, Listening, free_port, running
from support.proxies import nginx_binary
from support.workerd import JAVASCRIPT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NGINX_EDGE = INTEGRATIONS / "nginx-edge"


@contextlib.contextmanager
def nginx_edge(
    folder: Path,
    origin: Listening,
    key: str,
    changed: Mapping[str, str] | None = None,
    script: Mapping[str, str] | None = None,
):
    """The shipped configuration in *folder*, *changed* beyond places, and so its *script*."""
    port = free_port()
    text = (NGINX_EDGE / "edgeauth.js").read_text()
    (folder / "edgeauth.js").write_text(_replaced(text, script or {}))
    shutil.copy(JAVASCRIPT, folder)
    (folder / "key.json").write_text(json.dumps({"key": key}))
    text = (NGINX_EDGE / "nginx.conf").read_text()
    places = {
        "/var/log/nginx": str(folder),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "/etc/nginx/edgeauth": str(folder),
        "worker_processes auto": "worker_processes 2",
        "listen 80;": f"listen {HOST}:{port}; client_max_body_size 10m;",
        **(changed or {}),
        "server 127.0.0.1:8000;": f"server {HOST}:{origin.port};",
    }
    text = _replaced(text, places)
    config = folder / "nginx.conf"
    config.write_text(text)
    user = " user root;" if os.geteuid() == 0 else ""
    argv = [nginx_binary(), "-p", folder, "-c", config, "-g", f"daemon off;{user}"]
    with running(argv, address=(HOST, port), log=folder / "said.log"):
        yield Listening(port, folder / "error.log")


def _replaced(text: str, places: Mapping[str, str]) -> str:
    for written, here in places.items():
        assert written in text, f"the shipped file no longer names {written!r}"
        text = text.replace(written, here)
    return text

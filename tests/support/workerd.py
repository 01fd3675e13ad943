"""Workers under workerd, the runtime of Cloudflare Workers."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from support import edge_tools
from support.edge_tools import INTEGRATIONS
from support.processes import HOST, Listening, free_port, running

if TYPE_CHECKING:
    from pathlib import Path

CLOUDFLARE = INTEGRATIONS / "cloudflare"
JAVASCRIPT = INTEGRATIONS / "javascript" / "message-signatures.mjs"

# Whatever a Worker fetches goes to the origin, as it does on a zone.
_CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = [%s],
      compatibilityDate = "%s",
      bindings = [(name = "%s", fromEnvironment = "SECRET")],
      globalOutbound = "origin",
    )),
    (name = "origin", external = (address = "%s", http = ())),
  ],
  sockets = [(name = "http", address = "%s", http = (), service = "edge")],
);
"""


def example(folder: Path, main: Path | None = None) -> Path:
    """The modules of the example in *folder*, with *main* for the one that is asked."""
    modules = folder / "src"
    shutil.copytree(CLOUDFLARE / "src", modules)
    shutil.copy(JAVASCRIPT, modules)
    if main is not None:
        shutil.copy(main, modules / "main.mjs")
    return modules


@contextlib.contextmanager
def workerd(modules: Path, origin: Listening, secret: str, *, binding: str = "EDGEAUTH_KEY"):
    """The Worker in *modules*, whose requests go to *origin*."""
    port = free_port()
    # The first is the one that is asked.
    names = sorted(file.name for file in modules.iterdir())
    names.sort(key=lambda name: (name != "main.mjs", name != "index.mjs"))
    embedded = ", ".join(f'(name = "{name}", esModule = embed "src/{name}")' for name in names)
    manifest = modules.parent / f"{port}.capnp"
    date = _compatibility_date()
    manifest.write_text(
        _CONFIG % (embedded, date, binding, f"{HOST}:{origin.port}", f"{HOST}:{port}")
    )
    log = modules.parent / f"workerd-{port}.log"
    argv = [edge_tools.workerd(), "serve", manifest]
    env = {"SECRET": secret}
    with running(argv, address=(HOST, port), log=log, env=env):
        yield Listening(port, log)


def _compatibility_date() -> str:
    text = (CLOUDFLARE / "wrangler.toml").read_text()
    _, _, rest = text.partition('compatibility_date = "')
    return rest.partition('"')[0]

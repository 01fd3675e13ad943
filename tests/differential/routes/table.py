"""The views that every framework has, and the gates that stand before them.

The application is asked by name: each view tells its name, and a gate is chosen by the field
``Route-Gate`` of a request, so that one process has them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = "a-secret-of-the-route-matrix"
PASS_SECRET = "another-secret-of-the-route-matrix"
# What the pass of a stranger is narrowed to.
PASS_METHOD, PASS_PATH = "GET", "/status/admin"
EDGE, STRANGER = "151.101.0.9", "203.0.113.7"
CHOICE = "Route-Gate"

# What a view answers: the method, its name, and whether the request asks for a WebSocket.
SAW = "Route-Saw"

# A path of each kind, and beside each the paths that are taken for it by mistake.
PAGES = {
    "/": "front",
    "/healthz/": "health",
    "/healthz": "health-without-slash",
    "/status/admin": "status",
    "/status": "status-alone",
    "/admin": "admin",
    "/caf\u00e9": "cafe",
    "/cafe": "cafe-without-accent",
    "/p;v=1": "parameter",
    "/p": "parameter-alone",
    "/live": "live-page",
}
SOCKETS = {"/live": "live", "/feed": "feed"}
# The framework mounts the same again here, each name with this before it.
SUB, SUB_NAME = "/app", "app-"

_EXEMPT = (
    "GET /healthz/",
    "HEAD /healthz/",
    "GET /status/admin",
    "GET /caf\u00e9",
    "GET /p;v=1",
    "WEBSOCKET /live",
    f"GET {SUB}/healthz/",
    f"WEBSOCKET {SUB}/live",
)
# The views that those entries name, written down a second time.
_OPEN = frozenset(
    {
        ("GET", "health"),
        ("HEAD", "health"),
        ("GET", "status"),
        ("GET", "cafe"),
        ("GET", "parameter"),
        ("WEBSOCKET", "live"),
        ("GET", "app-health"),
        ("WEBSOCKET", "app-live"),
    }
)
NOTHING: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Gate:
    """A gate and where it stands.

    Attributes:
        settings: of its guard.
        opens: the (method, view) that an unsigned request may reach.
        mounted: where the gated application is mounted by a dispatcher around it.
        prefix: what its exemptions have before them.
        believes_prefix: whether something before it takes the mount point from
            ``X-Forwarded-Prefix``.
    """

    settings: dict[str, Any]
    opens: frozenset[tuple[str, str]] = NOTHING
    mounted: str = ""
    prefix: str = ""
    believes_prefix: bool = False


def _exempt(prefix: str = "") -> list[str]:
    return [entry.replace(" /", f" {prefix}/", 1) for entry in _EXEMPT]


def _gate(
    opens: Iterable[tuple[str, str]] = _OPEN,
    *,
    prefix: str = "",
    mounts: Iterable[str] = (),
    mounted: str = "",
    believes_prefix: bool = False,
) -> Gate:
    settings: dict[str, Any] = {"secret": SECRET, "exempt": _exempt(prefix)}
    if mounts:
        settings["mount_points"] = list(mounts)
    return Gate(settings, frozenset(opens), mounted, prefix, believes_prefix)


# What a server is told of as its mount point, where it is told of one.
ROOT = "/base"

GATES: dict[str, Gate] = {
    "plain": _gate(),
    # A proxy may set the mount point; nobody told the gate so.
    "proxied": _gate(believes_prefix=True),
    "mounted": _gate(prefix="/inner", mounts=["/inner"], mounted="/inner"),
    # The same, and the operator did not say where it is mounted.
    "untold": _gate(NOTHING, prefix="/inner", mounted="/inner"),
    "rooted": _gate(prefix=ROOT, mounts=[ROOT]),
    "several": _gate(prefix=ROOT, mounts=["/elsewhere", ROOT]),
    # Strangers come with a pass for one path.
    "pass": Gate(
        {"secret": SECRET, "pass_secret": PASS_SECRET}, frozenset({(PASS_METHOD, "status")})
    ),
    "address": Gate(
        {
            "secret": SECRET,
            "addresses": "fastly",
            "trusted_proxies": ["127.0.0.0/8"],
            "exempt": _exempt(),
        },
        _OPEN,
    ),
}


def pages() -> dict[str, str]:
    """The name of the view at each path."""
    return PAGES | {SUB + path: SUB_NAME + name for path, name in PAGES.items()}


def sockets() -> dict[str, str]:
    """The name of the WebSocket at each path."""
    return SOCKETS | {SUB + path: SUB_NAME + name for path, name in SOCKETS.items()}


def saw(method: str, name: str, *, handshake: bool) -> str:
    """What a view tells of a request that reached it."""
    return f"{method} {name} {'handshake' if handshake else 'plain'}"


def is_handshake(fields: Iterable[tuple[str, str]]) -> bool:
    """Whether these fields, names in lower case with dashes, ask for a WebSocket."""
    return any(name == "upgrade" and "websocket" in value.lower() for name, value in fields)

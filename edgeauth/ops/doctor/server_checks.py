"""Finds servers that give X_Forwarded_For the WSGI name of X-Forwarded-For (docs/servers.md)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from edgeauth.ops.doctor.finding import Finding

if TYPE_CHECKING:
    from edgeauth.settings import Settings

# As WSGI servers; by ASGI they keep the two names apart. The test of docs/servers.md checks them.
_INSTALLED = ("cheroot", "granian", "hypercorn", "pyuwsgi", "tornado", "twisted", "uwsgi")
FOLDING = frozenset({*_INSTALLED, "wsgiref"})


def check_server(settings: Settings, server: str | None, *, is_wsgi: bool) -> list[Finding]:
    """Whether a look-alike of X-Forwarded-For may be believed; nothing if the field is not read.

    Args:
        settings: the settings of the gate.
        server: the name of the server; None for all that are installed.
        is_wsgi: whether the app is a WSGI app.
    """
    if not is_wsgi or settings.addresses is None or not settings.trusted_proxies:
        return []
    if server is None:
        named = [name for name in _INSTALLED if find_spec(name) is not None]
        under = f"under {' or '.join(named)}, which is installed here,"
        more = " If another server runs the app, say so: --server gunicorn."
    else:
        named = [name for name in [server.lower()] if name in FOLDING]
        under, more = f"under {server}", ""
    if not named:
        return []
    return [
        Finding(
            "look-alike-fields",
            "warning",
            f"{under} an application cannot tell X_Forwarded_For from X-Forwarded-For: a client "
            "that sends the first writes the address that is checked",
            "Let the proxy drop fields with an underscore in their names: nginx does, HAProxy with "
            "option http-restrict-req-hdr-names delete, Envoy with "
            f"headers_with_underscores_action: DROP_HEADER.{more}",
        )
    ]

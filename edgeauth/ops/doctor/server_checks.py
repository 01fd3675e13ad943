"""Finds servers that tell a gate less than it needs, by WSGI (docs/servers.md)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import believing_proxies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeauth.settings import Settings

# As WSGI servers; by ASGI they keep the two names apart. The test of docs/servers.md checks them.
_INSTALLED = ("cheroot", "granian", "hypercorn", "pyuwsgi", "tornado", "twisted", "uwsgi")
FOLDING = frozenset({*_INSTALLED, "wsgiref"})
# They tell a path that is decoded, and not the one that was sent. By ASGI all tell it.
_TARGETLESS_INSTALLED = ("a2wsgi", "granian", "hypercorn", "tornado", "twisted")
TARGETLESS = frozenset({*_TARGETLESS_INSTALLED, "gevent", "wsgiref"})


def check_target(schemes: Sequence[Any], server: str | None, *, is_wsgi: bool) -> list[Finding]:
    """Whether the server tells the target as it was sent; nothing if nobody needs it.

    Args:
        schemes: those of the settings.
        server, is_wsgi: as those of :func:`check_server`.
    """
    kinds = [one.kind for one in schemes if tools_of(one.kind).names_target(one)]
    if not kinds or not is_wsgi:
        return []
    if server is not None and server.lower() in TARGETLESS:
        return [
            Finding(
                "target-untold",
                "error",
                f"{server} does not tell a WSGI application the target as it was sent, and the "
                f"scheme {kinds[0]} needs it: every request is refused",
                "Take gunicorn, waitress, cheroot or uWSGI, or serve the app by ASGI with an ASGI "
                "gate around it.",
            )
        ]
    named = [name for name in _TARGETLESS_INSTALLED if find_spec(name) is not None]
    if server is not None or not named:
        return []
    return [
        Finding(
            "target-untold",
            "warning",
            f"under {' or '.join(named)}, which is installed here, a WSGI application is not told "
            f"the target as it was sent, and the scheme {kinds[0]} needs it",
            "Take gunicorn, waitress, cheroot or uWSGI. If one of these runs the app, say so: "
            "--server gunicorn.",
        )
    ]


def check_server(settings: Settings, server: str | None, *, is_wsgi: bool) -> list[Finding]:
    """Whether a look-alike of a proxy's field may be believed; nothing if none is read.

    Args:
        settings: the settings of the gate.
        server: the name of the server; None for all that are installed.
        is_wsgi: whether the app is a WSGI app.
    """
    believing = believing_proxies(settings)
    if not is_wsgi or not (believing or (settings.addresses and settings.trusted_proxies)):
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
            f"that sends the first writes {'what the proxy says' if believing else 'the address'} "
            "that is checked",
            "Let the proxy drop fields with an underscore in their names: nginx does, HAProxy with "
            "option http-restrict-req-hdr-names delete, Envoy with "
            f"headers_with_underscores_action: DROP_HEADER.{more}",
        )
    ]

"""Checks the app itself: whether each request meets one gate, and whether exempt paths exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgeauth.ops.doctor.app_asking import AppAnswer, Asker
from edgeauth.ops.doctor.app_loading import is_asgi
from edgeauth.ops.doctor.app_routes import own_host, routes, unknown_paths
from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.doctor.setting_checks import report_only
from edgeauth.ops.doctor.spoof_checks import check_spoofed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.guard import Guard

# A finding names no more routes than these.
_MOST_NAMED = 5
_NOT_FOUND, _METHOD_NOT_ALLOWED, _ACCEPTED = 404, 405, 101
_REDIRECTS = range(300, 400)
_SAFE = ("GET", "HEAD", "OPTIONS")


def check_app(
    app: Any,  # noqa: ANN401 - of any framework
    exempt: Iterable[str],
    *,
    host: str | None = None,
) -> list[Finding]:
    """Findings from the answers of *app* to unsigned requests and to exempt ones.

    Args:
        app: the app, asked in this process.
        exempt: the entries of the settings; those of the app's gates are added.
        host: the Host of the requests; None for one that the app is known to accept.
    """
    asgi = is_asgi(app)
    with Asker(app, asgi=asgi, host=host or own_host(app)) as asker:
        asked = _ask_everywhere(asker, app, asgi=asgi)
        several = _several(asker, app)
        guards: dict[int, Guard] = {
            id(gate.guard): gate.guard for answer in asked.values() for gate in answer.gates
        }
        entries = {entry for guard in guards.values() for entry in guard.exempt} | set(exempt)
        found = _openings(asked, entries)
        if several:
            found.append(several)
        if any(guard.mode == "report-only" for guard in guards.values()):
            found.append(report_only("a gate of the app"))
        found += [_unknown(entry) for entry in sorted(entries) if _has(asker, asgi, entry) is False]
        found += check_spoofed(asker.status, sorted(entries))
    return found


def _ask_everywhere(asker: Asker, app: Any, *, asgi: bool) -> dict[str, AppAnswer]:  # noqa: ANN401
    """The answers by what was asked: ``GET /``, ``preflight /``, ``WEBSOCKET /``."""
    asked = {}
    for kind, path in routes(app):
        if kind == "http":
            asked[f"GET {path}"] = asker.get(path)
            asked[f"preflight {path}"] = asker.preflight(path)
        elif asgi:
            asked[f"WEBSOCKET {path}"] = asker.handshake(path)
    return asked


def _openings(asked: dict[str, AppAnswer], exempt: set[str]) -> list[Finding]:
    """Findings about answers that came although no gate was asked."""
    gated = any(answer.gates for answer in asked.values())
    past = {
        what: answer for what, answer in asked.items() if not answer.gates and what not in exempt
    }
    # A WebSocket that is not accepted is refused, by the gate or by the app.
    opened = {
        what: answer
        for what, answer in past.items()
        if answer.status is not None
        and (answer.status == _ACCEPTED or not what.startswith("WEBSOCKET "))
    }
    failed = {
        what: answer
        for what, answer in past.items()
        if answer.error is not None and not what.startswith("WEBSOCKET ")
    }
    found = []
    if failed:
        what, answer = next(iter(failed.items()))
        found.append(
            Finding(
                "app-fails",
                "error",
                f"{what!a}: the app fails before a gate is asked: {answer.error}",
                "Run the doctor as the app is run, with the same variables. An app that makes its "
                "parts when a server starts it can be looked at by edgeauth probe.",
            )
        )
    if not gated:
        return [*found, _NO_GATE] if opened or not failed else found
    plain = {what: answer for what, answer in opened.items() if not _is_preflight(what)}
    if plain:
        found.append(_open("open-route", plain, "a stranger gets an answer there"))
    closed_otherwise = {
        what: answer
        for what, answer in opened.items()
        if _is_preflight(what) and what.replace("preflight ", "GET ") not in plain
    }
    if closed_otherwise:
        found.append(
            _open("open-preflight", closed_otherwise, "middleware such as CORS stands before it")
        )
    return found


def _is_preflight(what: str) -> bool:
    return what.startswith("preflight ")


_NO_GATE = Finding(
    "no-gate",
    "error",
    "the app has no gate: it answers everybody",
    "Add the middleware of edgeauth, and name the object that the server is given.",
)


def _open(name: str, opened: dict[str, AppAnswer], why: str) -> Finding:
    named = ", ".join(
        f"{what!a} ({answer.status})" for what, answer in list(opened.items())[:_MOST_NAMED]
    )
    more = f" and {len(opened) - _MOST_NAMED} more" if len(opened) > _MOST_NAMED else ""
    return Finding(
        name,
        "error",
        f"no gate is asked about {named}{more}: {why}",
        "Let the gate be the outermost: wrap the object that the server is given, or add it last "
        "where the last is the outermost. What shall be open is written into exempt. (If it is a "
        "refusal of the Host, name one that the app takes with --host.)",
    )


def _several(asker: Asker, app: Any) -> Finding | None:  # noqa: ANN401
    """A finding if a gate removes the credential that a later gate needs."""
    for path in unknown_paths(app):
        removed: set[str] = set()
        met = asker.get(path, let_in=True).gates
        for guard, _ in met:
            if removed & {name.lower() for name in guard.scheme.headers}:
                return Finding(
                    "several-gates",
                    "error",
                    f"a request meets {len(met)} gates; the first removes the credential, so the "
                    "next refuses what the edge signed",
                    "Keep one: in the app, or in what wraps it.",
                )
            removed |= {name.lower() for name in guard.stripped_headers}
    return None


def _unknown(entry: str) -> Finding:
    return Finding(
        "exempt-path-unknown",
        "warning",
        f"{entry!a} is exempt, and the app does not answer it",
        "A health check there fails, and an exemption that nobody needs is one too many: correct "
        "the path (a slash at its end?) or remove it.",
    )


def _has(asker: Asker, asgi: bool, entry: str) -> bool | None:  # noqa: FBT001
    """Whether the app answers the exempt *entry*; None if that cannot be known."""
    method, _, path = entry.partition(" ")
    if method == "WEBSOCKET":
        # A refusal and an unknown path look the same.
        return True if asgi and asker.handshake(path).status == _ACCEPTED else None
    # An unsafe method is not tried: OPTIONS says whether it is allowed, and runs no view.
    safe = method in _SAFE
    answer = asker.get(path, method=method if safe else "OPTIONS", let_in=True)
    if answer.status is None:
        return None
    if not safe and answer.status != _NOT_FOUND:
        allowed = answer.headers.get("allow")
        return None if allowed is None else method in allowed.replace(" ", "").split(",")
    if answer.status in _REDIRECTS:
        # A redirect to the same path, with or without the slash at its end.
        target = urlsplit(answer.headers.get("location", "")).path
        return target == path or target.rstrip("/") != path.rstrip("/")
    return answer.status not in (_NOT_FOUND, _METHOD_NOT_ALLOWED)

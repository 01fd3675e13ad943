"""The endpoints for operators, on a listener and in a process of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from edgeauth.service.answer import Answer, answer_of
from edgeauth.service.counters import GENERATION, RELOAD_FAILED
from edgeauth.service.metrics import CountersCollector

if TYPE_CHECKING:
    from edgeauth.asgi import Scope
    from edgeauth.service.counters import Counters

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class AdminApp:
    """Answers GET and HEAD for three paths.

    ====================  ================================================================
    ``/healthz``          200: this process runs
    ``/readyz``           200 if every worker decides, else 503; JSON with the generation
                          in force, the one each worker decides by, and failed reloads
    ``/metrics``          for Prometheus
    ====================  ================================================================

    A reload is complete when every number in ``workers`` equals ``generation``.
    """

    waits = False

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._registry = CollectorRegistry()
        self._registry.register(CountersCollector(counters))

    def answer(self, scope: Scope) -> Answer:
        """The answer to the request of *scope*."""
        status, kind, body = self._answer(scope["method"], scope["raw_path"])
        fields = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        return answer_of(status, fields, body)

    async def answer_later(self, scope: Scope) -> Answer:
        """As :meth:`answer`."""
        return self.answer(scope)

    def unreadable(self) -> None:
        """Nothing is counted here."""

    def announced_body(self) -> None:
        """Nothing is told here."""

    def _answer(self, method: str, path: bytes) -> tuple[int, str, bytes]:
        if path not in (b"/healthz", b"/readyz", b"/metrics"):
            return 404, _TEXT, b"Not found: try /healthz, /readyz or /metrics\n"
        if method not in ("GET", "HEAD"):
            return 405, _TEXT, b"Method not allowed\n"
        if path == b"/healthz":
            return 200, _TEXT, b"ok\n"
        if path == b"/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return self._readiness()

    def _readiness(self) -> tuple[int, str, bytes]:
        serving = self._counters.serving
        document = {
            "ready": all(serving),
            "generation": self._counters.supervisor[GENERATION],
            "workers": serving,
            "failed_reloads": self._counters.supervisor[RELOAD_FAILED],
        }
        return (200 if all(serving) else 503), _JSON, json.dumps(document).encode() + b"\n"

"""Finds a store that remembers too little of what is good once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.schemes import tools_of
from edgeauth.settings import read_toml

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from edgeauth.settings import Settings

# Variables by which servers are told of their workers, and the options in a command line.
_VARIABLES = ("WEB_CONCURRENCY", "UVICORN_WORKERS", "GRANIAN_WORKERS", "EDGEAUTH_SERVICE_WORKERS")
_OPTIONS = re.compile(r"(?:-w|--workers)[= ]*([0-9]{1,9})")
_GUNICORN_FILE = "gunicorn.conf.py"
_GUNICORN_LINE = re.compile(r"^workers\s*=\s*([^#\n]+)", re.MULTILINE)

_SHARED = (
    "Take one that all of them ask: replay = 'sqlite:/path/to/file' for the processes of one "
    "machine, 'redis://host' for several machines."
)


def check_replay(
    settings: Settings,
    schemes: Sequence[Any],
    config: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    workers: int | None,
) -> list[Finding]:
    """Whether each worker would admit what another has admitted, or nothing is remembered.

    Args:
        settings: of the gate.
        schemes: those of the settings.
        config: the file that they are from, if any.
        environ: the variables that the server runs with.
        workers: how many there are; None where nobody said, so that it is looked for.
    """
    kinds = [one.kind for one in schemes if tools_of(one.kind).good_once(one)]
    maybe = [one.kind for one in schemes if tools_of(one.kind).may_be_good_once(one)]
    if settings.replay is None:
        return [_off(kinds[0])] if kinds else []
    if not kinds and not maybe:
        return []
    others = [one.kind for one in schemes if one.kind not in [*kinds, *maybe]]
    passed = [finding for kind in kinds[:1] for finding in _passed_by(kind, others)]
    return [*passed, *_too_small(settings, config, environ, workers)]


def _off(kind: str) -> Finding:
    return Finding(
        "replay-off",
        "warning",
        f"what {kind} signs is good for one request, and nothing remembers which was there: each "
        "can be sent again until it is too old",
        "Set replay: 'memory' for one process, 'sqlite:/path/to/file' for those of one machine, "
        "'redis://host' for several machines.",
    )


def _passed_by(kind: str, others: Sequence[str]) -> list[Finding]:
    """Whether a copy gets past the store by what is accepted beside *kind*."""
    return [
        Finding(
            "replay-passed-by",
            "warning",
            f"{other} is accepted beside {kind}, and nothing remembers what comes by it: whoever "
            "copies it can send it again, with any request",
            f"Drop {other} as soon as edgeauth report shows that nobody uses it.",
        )
        for other in others
    ]


def _too_small(
    settings: Settings,
    config: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    workers: int | None,
) -> list[Finding]:
    """Whether each worker has a memory of its own."""
    if settings.replay != "memory":
        return []
    if workers is None:
        where = next(_several(config, environ), "")
    else:
        where = f"--workers is {workers}" if workers > 1 else ""
    if not where:
        return []
    return [
        Finding(
            "replay-per-worker",
            "error",
            f"{where}, and replay is 'memory': each worker has a memory of its own, so each "
            "admits the same request once",
            _SHARED,
        )
    ]


def _several(config: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Iterator[str]:
    """Each place that says that there are several workers, in words."""
    for name in _VARIABLES:
        if _number(environ.get(name)) > 1:
            yield f"{name} is {environ[name]}"
    for option in _OPTIONS.findall(environ.get("GUNICORN_CMD_ARGS", "")):
        if int(option) > 1:
            yield f"GUNICORN_CMD_ARGS has {option} workers"
    try:
        text = Path(_GUNICORN_FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    for value in _GUNICORN_LINE.findall(text):
        if value.strip() != "1":
            yield f"{_GUNICORN_FILE} says workers = {value.strip()}"
    if config is not None:
        service: Any = read_toml(config).get("service", {})
        if isinstance(service, dict) and _number(str(service.get("workers"))) > 1:
            yield f"[service] has {service['workers']} workers"


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text.strip()) else 0

"""``edgeauth serve`` with a guard that each request can ask for any options and any time."""

from __future__ import annotations

import logging

from support.vectors import NOW

from conformance.origins.judge import JudgedGuard
from edgeauth.ops.cli import main
from edgeauth.service import app, logs, state

# The suite looks for log lines as logging writes them by itself.
logs._PLAIN = logging.Formatter("%(message)s")

# The age that the service tells is of the same clock as the judgement.
app.time = lambda: NOW
state.State.build_guard = lambda _self: JudgedGuard()

if __name__ == "__main__":
    main()

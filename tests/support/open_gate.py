"""An app whose gate lets everybody in, for a server to load: what a probe must find.

The variable OPEN_GATE_APP has the app, as ``module:attribute``. The app itself is as it is:
only the decision is taken from it, and every request gets the verdict of a signed one.
"""

from __future__ import annotations

import os
import time
from importlib import import_module

from edgeauth import EdgeIdentity, Guard, Verdict


def _let_in(_guard, _request, *, now=None):
    identity = EdgeIdentity(int(time.time() if now is None else now), "LHR", "default")
    return Verdict(allowed=True, reason="ok", identity=identity)


Guard.check = _let_in

_module, _, _attribute = os.environ["OPEN_GATE_APP"].partition(":")
app = getattr(import_module(_module), _attribute)

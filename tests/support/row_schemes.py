"""Schemes that judge the rows of G2O, and applications behind a gate that has one."""

from __future__ import annotations

import os

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support import akamai_g2o
from support.fact_apps import asgi as told_by_asgi
from support.fact_apps import wsgi as told_by_wsgi
from support.judging import judging

#: By name, for settings (tests/row_kind) and for the applications below.
G2ORows = judging(
    "g2o-rows",
    dict.fromkeys(
        name
        for row in akamai_g2o.rows()
        for name in (row.settings["data_header"], row.settings["sign_header"])
    ),
    akamai_g2o.rows(),
)

_KINDS = {"akamai-g2o": G2ORows}

if "ROWS_OF" in os.environ:
    guard = Guard(_KINDS[os.environ["ROWS_OF"]]())
    asgi = ASGIMiddleware(told_by_asgi, guard)
    wsgi = WSGIMiddleware(told_by_wsgi, guard)

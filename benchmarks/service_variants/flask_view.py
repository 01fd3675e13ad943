"""The same decision as a Flask view."""

import os
import time

from flask import Flask, request

import edgeauth

app = Flask(__name__)
scheme = edgeauth.EdgeAuthScheme([os.environ["BENCH_SECRET"]])


@app.route("/<path:_path>")
def decide(_path: str) -> tuple[str, int]:
    """Decide about the request that asks."""
    try:
        value = request.headers.get("Edge-Auth", "").encode("latin-1")
        scheme.verify_value(value, now=time.time())
    except edgeauth.VerificationError:
        return "", 403
    return "", 204

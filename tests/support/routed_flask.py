"""A Flask app behind the gate whose views answer with their names."""

from __future__ import annotations

from flask import Flask

from edgeauth.flask import EdgeAuth

app = Flask(__name__, static_folder=None)
for path, name in (("/", "front"), ("/healthz", "healthz"), ("/admin", "admin"), ("/feed", "feed")):
    app.add_url_rule(path, name, lambda name=name: name, methods=["GET", "WEBSOCKET"])
EdgeAuth(app)

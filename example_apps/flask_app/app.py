"""A Flask app that answers its edge and nobody else."""

from dataclasses import replace

from flask import Flask, Response, g

from edgeauth import Guard, Settings
from edgeauth.flask import EdgeAuth
from example_apps.page import page

app = Flask(__name__)

# EDGEAUTH_SECRET, and whatever else is set, comes from the environment.
EdgeAuth(app, Guard.from_settings(replace(Settings.from_environ(), exempt=("GET /healthz",))))


@app.get("/")
def index() -> str:
    return page("Flask", g.edgeauth.identity)


@app.get("/healthz")
def healthz() -> Response:
    return Response("ok\n", mimetype="text/plain")

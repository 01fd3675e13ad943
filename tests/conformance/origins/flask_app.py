"""A Flask app behind the gate, and under a mount point as well."""

from flask import Flask, Response, g, request

from conformance.origins.judge import JudgedGuard
from conformance.origins.mount import wsgi_mounted
from conformance.origins.sight import sight
from edgeauth.flask import EdgeAuth

app = Flask(__name__)
EdgeAuth(app, guard=JudgedGuard())


# Before routing, so that every path and method has its answer.
@app.before_request
def tell() -> Response:
    path = request.root_path + request.path
    body = sight(g.edgeauth, path, request.headers.keys())
    return Response(body, content_type="application/json")


app.wsgi_app = wsgi_mounted(app.wsgi_app)

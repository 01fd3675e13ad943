"""A plain WSGI application behind the gate."""

from edgeauth.wsgi import EdgeAuthMiddleware
from rotation.answer import answer


def application(environ, start_response):
    body = answer(environ["edgeauth.verdict"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


app = EdgeAuthMiddleware(application)

"""A Flask app behind the gate."""

from flask import Flask, g

from edgeauth.flask import EdgeAuth
from rotation.answer import answer

app = Flask(__name__)
EdgeAuth(app)


@app.get("/")
def index() -> bytes:
    return answer(g.edgeauth)

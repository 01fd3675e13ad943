"""Flask under gunicorn."""

from conformance.suite import Conformance
from conformance.targets import gunicorn


class TestFlask(Conformance):
    program = gunicorn("conformance.origins.flask_app:app")

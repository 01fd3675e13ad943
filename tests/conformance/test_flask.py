"""Flask under gunicorn."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestFlask(Conformance):
    program = Program("gunicorn", "conformance.origins.flask_app:app")

"""The middleware of the package, with the guard that a test can ask."""

from conformance.origins.judge import JudgedGuard
from edgeauth.django.middleware import EdgeAuthMiddleware


class Gate(EdgeAuthMiddleware):
    def __init__(self, get_response):
        super().__init__(get_response)
        self.guard = JudgedGuard()

"""What a star import of an adapter brings along."""

from __future__ import annotations

import pytest

NAMES = {
    "asgi": {"ASGIApp", "EdgeAuthMiddleware", "Message", "Receive", "Scope", "Send"},
    "wsgi": {"EdgeAuthMiddleware"},
    "flask": {"EdgeAuth", "demand_coverage"},
    "django.asgi": {"guarded"},
    "django.coverage": {"demand_coverage"},
    "django.middleware": {"EdgeAuthMiddleware"},
    "django.wsgi": {"guarded"},
}


@pytest.mark.parametrize("module", NAMES)
def test_a_star_import_of_an_adapter_brings_its_public_names_alone(module):
    brought = {}
    exec(f"from edgeauth.{module} import *", brought)
    assert brought.keys() - {"__builtins__"} == NAMES[module]

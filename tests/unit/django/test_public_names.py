"""What a star import of Django's adapters brings along."""

from __future__ import annotations

import pytest

NAMES = {
    "asgi": {"guarded"},
    "coverage": {"demand_coverage"},
    "middleware": {"EdgeAuthMiddleware"},
    "wsgi": {"guarded"},
}


@pytest.mark.parametrize("module", NAMES)
def test_a_star_import_of_an_adapter_of_django_brings_its_public_names_alone(module):
    brought = {}
    exec(f"from edgeauth.django.{module} import *", brought)
    assert brought.keys() - {"__builtins__"} == NAMES[module]

"""Where a Django project's settings of the gate come from."""

from __future__ import annotations

from django.conf import settings

from edgeauth.settings import Settings


def project_settings() -> Settings:
    """The mapping ``settings.EDGEAUTH``, or the environment where that is not set.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    mapping = getattr(settings, "EDGEAUTH", None)
    return Settings.from_environ() if mapping is None else Settings.from_mapping(mapping)

"""Where a Django project's settings of the gate come from."""

from __future__ import annotations

from django.conf import settings

from edgeauth.settings import Settings


def project_settings() -> Settings:
    """The mapping ``settings.EDGEAUTH``, if there is one, and the environment, which wins.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    mapping = getattr(settings, "EDGEAUTH", None)
    return Settings.from_mapping({} if mapping is None else mapping).with_environ()

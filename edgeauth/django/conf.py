"""Where a Django project's settings of the gate come from."""

from __future__ import annotations

from django.conf import settings

from edgeauth.settings import Settings


def project_settings() -> Settings:
    """The mapping ``settings.EDGEAUTH``, if there is one, and the environment, which wins.

    So does the TOML file that ``EDGEAUTH_CONFIG`` names in the environment.

    Raises:
        ConfigurationError: an unknown name, a value of the wrong kind, or a file that cannot
            be read.
    """
    mapping = getattr(settings, "EDGEAUTH", None)
    return Settings.from_mapping({} if mapping is None else mapping).with_environ()

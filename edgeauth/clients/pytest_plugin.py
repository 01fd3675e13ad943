"""Fixtures that sign the requests of a test client; pytest finds this by itself.

It is loaded in every run of pytest, so it imports the core and nothing else, and reads
settings only when a test asks for a fixture. ``-p no:edgeauth`` leaves it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from edgeauth.clients.signer import SIMULATED_POP, Signer
from edgeauth.errors import ConfigurationError
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from edgeauth.keys import Key


@pytest.fixture
def edge_auth_secret() -> str | bytes | Key:
    """What ``edge_auth_headers`` signs with: override it to use a secret of your own.

    By default the newest key of the settings in the environment (``EDGEAUTH_SECRET`` or
    ``EDGEAUTH_SECRETS_FILE``).
    """
    try:
        return Settings.from_environ().build_keys().signing_key()
    except ConfigurationError as error:
        _fail(error)


@pytest.fixture
def edge_auth_headers(edge_auth_secret: str | bytes | Key) -> dict[str, str]:
    """A signed header, for a test client: ``client.get("/", headers=edge_auth_headers)``.

    The name of the header, and a POP that is admitted, are those of the settings in the
    environment. Signed when the test begins, so a test that runs for longer than
    ``max_age`` signs its later requests itself (:func:`edgeauth.sign`).
    """
    try:
        settings = Settings.from_environ()
        pop = settings.pops[0] if settings.pops else SIMULATED_POP
        signer = Signer(edge_auth_secret, pop=pop, header=settings.header)
    except ConfigurationError as error:
        _fail(error)
    return {signer.header: signer.value()}


def _fail(error: ConfigurationError) -> NoReturn:
    # Without a trace-back: this is about how the tests are set up, not about the plugin.
    pytest.fail(
        f"edge_auth_headers cannot sign: {error}. Set it in the environment of the tests, or "
        "write a fixture edge_auth_secret that returns the secret of your test settings.",
        pytrace=False,
    )

"""Fixtures that sign the requests of a test client; pytest finds this by itself.

It is loaded in every run of pytest, so it imports the core and nothing else, and reads
settings only when a test asks for a fixture. ``-p no:edgeauth`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence  # noqa: TC003 - so that annotations can be read
from pathlib import Path
from typing import NoReturn

import pytest

from edgeauth.clients.httpx import EdgeAuth
from edgeauth.clients.signer import Signer
from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key  # noqa: TC001
from edgeauth.private_keys import PrivateKey  # noqa: TC001
from edgeauth.schemes.base import Outgoing
from edgeauth.settings import Settings

__all__ = [
    "edge_auth",
    "edge_auth_headers",
    "edge_auth_secret",
    "edge_auth_settings",
    "edge_auth_sign",
]

_CONFIG = "edgeauth_config"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``edgeauth_config`` to the file of pytest's options."""
    parser.addini(_CONFIG, "A TOML file of edgeauth's settings, from the folder of this file.")


@pytest.fixture
def edge_auth_settings(request: pytest.FixtureRequest) -> Settings:
    """The settings of the gate under test: override it where they are in your code.

    By default those of the environment, and of the TOML file that the option
    ``edgeauth_config`` of pytest names, if it does.
    """
    named = request.config.getini(_CONFIG)
    try:
        return Settings.load(Path(request.config.rootpath, named) if named else None)
    except ConfigurationError as error:
        _fail(error)


@pytest.fixture
def edge_auth_secret(edge_auth_settings: Settings) -> str | bytes | Key | PrivateKey:
    """What ``edge_auth_headers`` signs with: override it to use a secret of your own.

    By default the newest key of ``edge_auth_settings``; of several schemes, of the first. Where
    those are public keys, return the ``PrivateKey`` that goes with one.
    """
    try:
        return edge_auth_settings.schemes[0].read_keys().signing_key()
    except ConfigurationError as error:
        _fail(error)


@pytest.fixture
def edge_auth_headers(
    edge_auth_settings: Settings, edge_auth_secret: str | bytes | Key | PrivateKey
) -> dict[str, str]:
    """Headers of the edge, for a test client: ``client.get("/", headers=edge_auth_headers)``.

    The scheme, its header, and a POP that is admitted are those of
    ``edge_auth_settings``. Made when the test begins, so a test that runs for longer than
    ``max_age`` signs its later requests itself (:func:`edgeauth.sign`).
    Where the scheme signs the request itself, take ``edge_auth_sign``, or ``edge_auth``.
    """
    try:
        return dict(Signer.from_settings(edge_auth_settings, secret=edge_auth_secret).fields())
    except ConfigurationError as error:
        _fail(error)


@pytest.fixture
def edge_auth_sign(
    edge_auth_settings: Settings, edge_auth_secret: str | bytes | Key | PrivateKey
) -> Callable[..., dict[str, str]]:
    """What signs one request, for any test client and with any scheme.

    ::

        headers = edge_auth_sign("POST", "/pay?x=1", host="testserver", body=b"amount=1")

    The method, the target as it is sent, the Host, ``fields`` (name and value) that are signed,
    and the body; each has a default.
    """
    try:
        signer = Signer.from_settings(edge_auth_settings, secret=edge_auth_secret)
    except ConfigurationError as error:
        _fail(error)

    def sign(
        method: str = "GET",
        target: str = "/",
        *,
        host: str = "testserver",
        fields: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> dict[str, str]:
        return dict(signer.fields(Outgoing(method, host, target, fields, body)))

    return sign


@pytest.fixture
def edge_auth(
    edge_auth_settings: Settings, edge_auth_secret: str | bytes | Key | PrivateKey
) -> EdgeAuth:
    """Signs each request of a ``TestClient``, or of httpx: ``client.auth = edge_auth``."""
    try:
        return EdgeAuth.from_settings(edge_auth_settings, secret=edge_auth_secret)
    except ConfigurationError as error:
        _fail(error)


def _fail(error: ConfigurationError) -> NoReturn:
    # Without a trace-back: this is about how the tests are set up, not about the plugin.
    pytest.fail(
        f"edge_auth_headers cannot sign: {error}. Set it in the environment of the tests, or "
        "write a fixture edge_auth_secret that returns the secret of your test settings. For a "
        "scheme that signs each request, ask for edge_auth_sign or edge_auth instead.",
        pytrace=False,
    )

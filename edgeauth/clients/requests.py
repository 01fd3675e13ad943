"""Signs the requests of the requests library, as the edge would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from edgeauth.clients.signer import Signer
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

__all__ = ["EdgeAdapter", "EdgeAuth"]

# Of these characters all parsers of URLs make the same host: printable ASCII but the
# backslash, which some read as a slash.
_PLAIN_URL = re.compile(r"[!-\[\]-~]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Signer(Signer):
    def _sign(self, request: PreparedRequest) -> None:
        for name in self.headers:
            request.headers.pop(name, None)
        url = urlsplit(request.url or "")
        body = request.body or b""
        sent = Outgoing(
            request.method or "GET",
            _text(request.headers.get("Host")) or url.netloc.rpartition("@")[2],
            request.path_url,
            [(name, _text(value)) for name, value in request.headers.items()],
            body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None,
        )
        request.headers.update(self.fields(sent))


class EdgeAuth(_Signer, AuthBase):
    """``requests.get(url, auth=EdgeAuth(secret))``: each request is signed when prepared.

    requests follows redirects by itself and takes all headers but Authorization along. The
    credential is dropped from a redirect that leaves the origin (scheme, host and port) or
    may leave it; within the origin it is kept. One that names its request is good for that one
    alone: where redirects are followed, take :class:`EdgeAdapter`.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self._sign(r)
        r.hooks["response"].append(self._keep_at_home)
        return r

    def _keep_at_home(self, response: Response, **_kwargs: Any) -> None:  # noqa: ANN401
        # requests copies the next request from this one, after this hook has run.
        if response.is_redirect and not _stays(response.url, response.headers["location"]):
            for name in self.headers:
                response.request.headers.pop(name, None)


class EdgeAdapter(_Signer, HTTPAdapter):
    """``session.mount("https://shop.example/", EdgeAdapter(secret))``: signs all that goes there.

    Each request is signed as it is sent, after a redirect as well, and what is sent elsewhere has
    no credential. ``max_retries`` stays 0: urllib3 would send the same credential again, and one
    that names its request is good once.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def _use(self, *arguments: Any) -> None:  # noqa: ANN401
        super()._use(*arguments)
        HTTPAdapter.__init__(self)

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:  # noqa: ANN401
        """Sign a copy of *request*, and send that: a redirect is made of the original."""
        signed = request.copy()
        self._sign(signed)
        response = super().send(signed, *arguments, **options)
        response.request = request
        return response


def _text(value: str | bytes | None) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


def _stays(url: str, location: str) -> bool:
    """Whether a redirect from *url* to *location* surely stays within the origin."""
    if not _PLAIN_URL.fullmatch(location):
        return False
    try:
        return _origin(urljoin(url, location)) == _origin(url)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

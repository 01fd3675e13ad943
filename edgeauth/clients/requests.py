"""Signs the requests of the requests library, as the edge would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from requests.auth import AuthBase

from edgeauth.clients.signer import Signer

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

# Of these characters all parsers of URLs make the same host: printable ASCII but the
# backslash, which some read as a slash.
_PLAIN_URL = re.compile(r"[!-\[\]-~]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class EdgeAuth(Signer, AuthBase):
    """``requests.get(url, auth=EdgeAuth(secret))``: each request is signed when prepared.

    requests follows redirects by itself and takes all headers but Authorization along. The
    credential is dropped from a redirect that leaves the origin (scheme, host and port) or
    may leave it; within the origin it is kept.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.
    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers.update(self.fields())
        r.hooks["response"].append(self._keep_at_home)
        return r

    def _keep_at_home(self, response: Response, **_kwargs: Any) -> None:  # noqa: ANN401
        # requests copies the next request from this one, after this hook has run.
        if response.is_redirect and not _stays(response.url, response.headers["location"]):
            for name in self.headers:
                response.request.headers.pop(name, None)


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

"""Fetches an address list: bounded in time and size, from the place that was named only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgeauth.errors import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    import httpx

PUBLIC_LIST = "https://api.fastly.com/public-ip-list"

# The list is about a kilobyte.
MAX_BYTES = 1 << 20

_OK = 200
_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds: for a connection, for the next bytes, and in all."""

    connect: float = 10
    read: float = 10
    overall: float = 30


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered.

    Attributes:
        text: the body; None where it is what the ETag stands for.
        etag: the new ETag, if the server gave one.
    """

    text: str | None
    etag: str | None


def fetch(url: str, *, etag: str | None = None, limits: Limits | None = None) -> Fetched:
    """Get *url*, or nothing new if its ETag is still *etag*.

    Redirects are refused: who may say what the edge's addresses are is for the operator to
    decide. So is plain HTTP, but on loopback.

    Raises:
        ListRefused: no answer in time, not one of 200 or 304, too long, or not text.
        ConfigurationError: the URL cannot be used, or httpx is not installed.
    """
    _check_url(url)
    try:
        import httpx  # noqa: PLC0415 - an extra, which only fetching needs
    except ImportError:
        raise ConfigurationError(
            "fetching needs httpx: pip install 'edgeauth[addresses]'"
        ) from None
    limits = limits or Limits()
    where = escaped(url)
    try:
        return asyncio.run(_fetch(url, etag, limits))
    except TimeoutError:
        raise ListRefused(f"{where} took more than {limits.overall:g} s in all") from None
    except httpx.TimeoutException as error:
        kind = "connection" if isinstance(error, httpx.ConnectTimeout) else "answer"
        raise ListRefused(f"{where} gave no {kind} in time") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ListRefused(f"{where} could not be fetched: {escaped(str(error))}") from None


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))
    except ValueError:
        host, secure = "", False
    if not host or not secure:
        raise ConfigurationError(
            f"{url!r} is not a URL to fetch a list from: write https://... "
            "(http:// is taken on loopback only, since anybody on the way could change it)"
        )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _fetch(url: str, etag: str | None, limits: Limits) -> Fetched:
    import httpx  # noqa: PLC0415

    # Compressed bytes could be a thousand times as many when unpacked.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if etag is not None:
        headers["If-None-Match"] = etag
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    async with (
        # Over all, since a server that sends a byte now and then never runs into the others.
        asyncio.timeout(limits.overall),
        httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == _NOT_MODIFIED and etag is not None:
            return Fetched(None, etag)
        _check_answer(response)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ListRefused(f"{escaped(url)} sends more than {MAX_BYTES} bytes: no list is")
    try:
        return Fetched(body.decode("utf-8-sig"), response.headers.get("ETag"))
    except UnicodeDecodeError:
        raise ListRefused(f"{escaped(url)} sent something that is not text") from None


def _check_answer(response: httpx.Response) -> None:
    where = escaped(str(response.request.url))
    if response.has_redirect_location:
        target = escaped(response.headers["Location"])
        raise ListRefused(
            f"{where} redirects to {target}, which is not followed: if that is where the list "
            "is now, name it with --url"
        )
    if response.status_code != _OK:
        raise ListRefused(f"{where} answered {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ListRefused(f"{where} sent a compressed answer, which was not asked for")

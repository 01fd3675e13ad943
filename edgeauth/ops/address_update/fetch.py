"""Fetches an address list from the URL that was named, and from nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgeauth.errors import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.http_get import TookTooLong, http_get
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from edgeauth.ops.http_get import Limits, Response

# Azure's list of all service tags, the longest, has 4 MB.
MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered.

    Attributes:
        text: the body; None if the list is the one that the ETag names.
        etag: the new ETag, if the server gave one.
    """

    text: str | None
    etag: str | None


def fetch(url: str, *, etag: str | None = None, limits: Limits | None = None) -> Fetched:
    """Get *url*, or nothing new if its ETag is still *etag*.

    Redirects are refused: the operator decides who may say what the edge's addresses are.
    Plain HTTP is refused too, but on loopback.

    Raises:
        ListRefused: no answer in time, not one of 200 or 304, too long, or not text.
        ConfigurationError: the URL cannot be used.
    """
    _check_url(url)
    where = escaped(url)
    # Compressed bytes could be a thousand times as many when unpacked.
    headers = {"Accept": "application/json, text/plain", "Accept-Encoding": "identity"}
    if etag is not None:
        headers["If-None-Match"] = etag
    try:
        response = http_get(url, most=MAX_BYTES, headers=headers, limits=limits)
    except TookTooLong as error:
        raise ListRefused(f"{where} {error}") from None
    except TimeoutError:
        raise ListRefused(f"{where} gave no answer in time") from None
    except (OSError, ValueError, HTTPException) as error:
        why = escaped(str(getattr(error, "reason", None) or error))
        raise ListRefused(f"{where} could not be fetched: {why}") from None
    if response.status == HTTPStatus.NOT_MODIFIED and etag is not None:
        return Fetched(None, etag)
    _check_response(where, response)
    try:
        return Fetched(response.body.decode("utf-8-sig"), response.headers.get("ETag"))
    except UnicodeDecodeError:
        raise ListRefused(f"{where} sent something that is not text") from None


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


def _check_response(where: str, response: Response) -> None:
    if response.redirect is not None:
        raise ListRefused(
            f"{where} redirects to {escaped(response.redirect)}, which is not followed: if that "
            "is where the list is now, name it with --url"
        )
    if response.status != HTTPStatus.OK:
        raise ListRefused(f"{where} answered {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ListRefused(f"{where} sent a compressed answer, which was not asked for")
    if len(response.body) > MAX_BYTES:
        raise ListRefused(f"{where} sends more than {MAX_BYTES} bytes: no list is")

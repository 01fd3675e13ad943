"""Updates the file from the list that the edge's owner publishes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.address_update.fetch import fetch
from edgeauth.ops.address_update.list_file import ListFile
from edgeauth.ops.address_update.plausible import check_plausible
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from pathlib import Path

    from edgeauth.networks import Network
    from edgeauth.ops.http_get import Limits

# Long enough for an edge that is being moved off an address to be gone from it.
GRACE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Difference:
    """The networks that one list has and another does not, in the order of the lists."""

    removed: tuple[Network, ...]
    added: tuple[Network, ...]

    @classmethod
    def between(cls, old: ListFile, new: ListFile) -> Difference:
        """What *new* changes; networks that retire are on neither list."""
        return cls(
            tuple(net for net in old.listed if net not in new.listed),
            tuple(net for net in new.listed if net not in old.listed),
        )

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


@dataclass(frozen=True, slots=True)
class Update:
    """An update that was carried out.

    Attributes:
        difference: what it changed.
        stored: the new contents of the file.
        ended: networks whose last day is over, and which are no longer accepted.
    """

    difference: Difference
    stored: ListFile
    ended: tuple[Network, ...]


def public_list(*urls: str, limits: Limits | None = None) -> ListFile:
    """The list at *urls*, all of them together; whether it is plausible is not checked.

    Raises:
        ListRefused: it could not be had, or is not in the shape of the public list.
        ConfigurationError: the URL cannot be used.
    """
    return _joined([_fetched(url, limits) for url in urls])


def update(
    path: Path,
    *urls: str,
    cdn: str = "fastly",
    force: bool = False,
    grace_days: int = GRACE_DAYS,
    limits: Limits | None = None,
    now: float | None = None,
) -> Update:
    """Fetch the list at *urls* and write it to *path*; on any error the file stays unchanged.

    Args:
        path: the file; it need not exist.
        urls: where the list is, or each part of it.
        cdn: whose list it is. Where there is no file, its bundled list is what was there before.
        force: accept a list that is not plausible, and replace a file that cannot be used.
            A list that would check nothing or refuse everybody is still refused.
        grace_days: how many days networks that left the list stay accepted.
        limits: how long to wait.
        now: Unix seconds; None is the present.

    Raises:
        ListRefused: the list could not be had or is not to be believed.
        ConfigurationError: the file or the URL cannot be used.
    """
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    today = moment.date()
    old = _old(path, cdn, force=force)
    # An ETag is sent only to its own URL, and not if the file may be replaced.
    if (old.source,) == urls and not force:
        answer = fetch(urls[0], etag=old.etag, limits=limits)
        new = old if answer.text is None else _parse(answer.text, urls[0], answer.etag)
    else:
        new = public_list(*urls, limits=limits)
    if not force:
        check_plausible(new.listed, old.listed)
    difference = Difference.between(old, new)
    last_day = today + timedelta(days=grace_days)
    leaving = {**old.retiring, **dict.fromkeys(difference.removed, last_day)}
    # A network that is listed again, alone or within a larger one, does not retire.
    leaving = {net: day for net, day in leaving.items() if not _within(net, new.listed)}
    ended = tuple(net for net, day in leaving.items() if day < today or not grace_days)
    retiring = {net: day for net, day in leaving.items() if net not in ended}
    stored = replace(new, as_of=today.isoformat(), retiring=retiring)
    stored.write(path)
    return Update(difference, stored, ended)


def _old(path: Path, cdn: str, *, force: bool) -> ListFile:
    try:
        return ListFile.read(path, cdn)
    except ConfigurationError as error:
        if force:
            return ListFile.bundled(cdn)
        raise ConfigurationError(f"{error}; --force replaces it") from None


def _fetched(url: str, limits: Limits | None) -> ListFile:
    answer = fetch(url, limits=limits)
    return _parse(answer.text or "", url, answer.etag)


def _joined(lists: list[ListFile]) -> ListFile:
    first, *others = lists
    if not others:
        return first
    networks = dict.fromkeys(net for each in lists for net in each.listed)
    source = " ".join(each.source or "" for each in lists)
    return ListFile(tuple(networks), {}, None, source)


def _parse(text: str, url: str, etag: str | None) -> ListFile:
    where = f"what {escaped(url)} sent"
    try:
        addresses = AddressList.from_json(text, where, now=0)
    except ConfigurationError as error:
        raise ListRefused(escaped(str(error))) from None
    # Only the two lists count, and nothing else that a server sends, such as retiring networks.
    return replace(ListFile.of(addresses, url, etag), retiring={})


def _within(network: Network, listed: tuple[Network, ...]) -> bool:
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in listed
    )

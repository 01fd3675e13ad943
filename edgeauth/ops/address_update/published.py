"""Where each CDN publishes its addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Published(NamedTuple):
    """A list that a CDN publishes.

    Attributes:
        urls: what is fetched, all of it together the list; none where no URL stays the same.
        where: how an operator finds it then.
    """

    urls: tuple[str, ...]
    where: str = ""


_GOOGLE = (
    "Google publishes all of its addresses, those of its customers' machines among them "
    "(https://www.gstatic.com/ipranges/goog.json), and names those from which Cloud CDN meets an "
    "origin in the DNS alone (dig TXT _cloud-eoips.googleusercontent.com): write these into a "
    "file, one a line"
)

PUBLISHED: Mapping[str, Published] = {
    "fastly": Published(("https://api.fastly.com/public-ip-list",)),
    "cloudflare": Published(
        ("https://www.cloudflare.com/ips-v4", "https://www.cloudflare.com/ips-v6")
    ),
    "cloudfront": Published(("https://ip-ranges.amazonaws.com/ip-ranges.json",)),
    "bunny": Published(
        (
            "https://bunnycdn.com/api/system/edgeserverlist",
            "https://bunnycdn.com/api/system/edgeserverlist/IPv6",
        )
    ),
    "azure-front-door": Published(
        (),
        "Azure's ServiceTags_Public_*.json has another name each week: see "
        "https://www.microsoft.com/download/details.aspx?id=56519",
    ),
    "akamai": Published(
        (),
        "Akamai gives its customers the list in Control Center (Origin IP Access Control List): "
        "write it into a file, one network a line",
    ),
    "google": Published((), _GOOGLE),
    "netlify": Published((), "Netlify publishes no list"),
}


def urls_of(cdn: str, named: Sequence[str]) -> tuple[str, ...]:
    """What to fetch for the list of *cdn*: the URLs that were *named*, or else its own.

    Raises:
        ConfigurationError: none was named, and it has none.
    """
    urls = tuple(named) or PUBLISHED[cdn].urls
    if not urls:
        raise ConfigurationError(
            f"the list of {cdn} has no URL of its own: {PUBLISHED[cdn].where}. --url fetches it "
            "from where you keep it"
        )
    return urls

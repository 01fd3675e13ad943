"""What the name of a CDN sets: the one table of presets.

``cdn = "fastly"`` is a default for other settings, and each of them wins over it. It names the
strongest proof that the CDN can give to an origin of one's own without a program that somebody
has to write, but for Cloudflare, where a Worker signs, since all that it has built in proves "some
customer". It never opens what would be closed without it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cdn(NamedTuple):
    """What a CDN sends to an origin.

    Attributes:
        kind: of the scheme.
        able: other kinds that it can be made to send.
        marks: fields that its servers write, and anybody else can write as well.
        options: those of the scheme that differ from its defaults.
        addresses: the bundled list of its addresses, if there is one.
    """

    kind: str
    able: tuple[str, ...]
    marks: tuple[tuple[str, str], ...]
    options: Mapping[str, Any] = MappingProxyType({})
    addresses: str | None = None


_PROGRAMS = ("edge-auth", "message-signatures", "aws-sigv4", "shared-secret")

CDNS: Mapping[str, Cdn] = MappingProxyType(
    {
        "fastly": Cdn(
            "edge-auth",
            (*_PROGRAMS, "azure-shared-key", "alibaba-oss", "client-certificate"),
            (("Fastly-FF", "x!LHR!cache-lhr1"), ("CDN-Loop", "Fastly"), ("Via", "1.1 v")),
            addresses="fastly",
        ),
        "cloudflare": Cdn(
            "message-signatures",
            (*_PROGRAMS, "client-certificate", "signed-token"),
            (
                ("CF-Ray", "8f0c2a1b3d4e5f60-LHR"),
                ("CF-Connecting-IP", "192.0.2.1"),
                ("CDN-Loop", "cloudflare; loops=1"),
            ),
        ),
        "cloudfront": Cdn(
            "shared-secret",
            # No SigV4: CloudFront adds an x-amz- field after a function of yours has signed.
            ("edge-auth", "message-signatures"),
            (
                ("X-Amz-Cf-Id", "x0ybXhbuOA7oLCRGW2gRZsV4CHUgrvzzYvl7GyA8GYd6RIDcCqSxXQ=="),
                ("Via", "2.0 0a1b2c3d4e5f.cloudfront.net (CloudFront)"),
                ("User-Agent", "Amazon CloudFront"),
            ),
        ),
        "akamai": Cdn(
            "akamai-g2o",
            (*_PROGRAMS, "client-certificate"),
            (
                ("Akamai-Origin-Hop", "2"),
                ("True-Client-IP", "192.0.2.1"),
                ("Via", "1.1 v1-akamaitech.net(ghost) (AkamaiGHost)"),
            ),
        ),
        "azure-front-door": Cdn(
            "azure-front-door",
            ("shared-secret",),
            (
                ("X-Azure-Ref", "20261101T000000Z-r1cheapplestands"),
                ("X-Azure-SocketIP", "192.0.2.1"),
                ("Via", "HTTP/2.0 Azure"),
            ),
        ),
        "google": Cdn(
            "aws-sigv4",
            ("shared-secret", "signed-token"),
            (("Via", "1.1 google"), ("X-Cloud-Trace-Context", "0123456789abcdef/1")),
        ),
        "netlify": Cdn(
            "signed-token",
            ("shared-secret",),
            (
                ("X-Nf-Request-Id", "01HZZZZZZZ"),
                ("X-Nf-Client-Connection-Ip", "::1"),
            ),
            options=MappingProxyType({"preset": "netlify"}),
        ),
        "bunny": Cdn(
            "shared-secret",
            _PROGRAMS,
            (("CDN-ServerId", "1000"), ("CDN-RequestId", "0123456789abcdef"), ("Via", "BunnyCDN")),
        ),
    }
)


def read_cdn(label: str, value: object) -> str:
    """The name of a CDN.

    Raises:
        ConfigurationError: there is no preset of that name.
    """
    if not isinstance(value, str) or value not in CDNS:
        # Here, since only a mistake needs it.
        import difflib  # noqa: PLC0415

        near = difflib.get_close_matches(str(value), CDNS, n=1)
        expected = " or ".join(map(repr, near or CDNS))
        raise ConfigurationError(f"{label} is {value!r}; write {expected}")
    return value

"""What it costs to look an address up, by the length of the list."""

from __future__ import annotations

import hmac
import random
from ipaddress import IPv4Address, ip_address, ip_network

from measure import side_by_side
from report import Group, Row

import edgeauth

CALLS = 1_000
KEY = b"an-example-secret-of-32-bytes-ok"


def group() -> Group:
    fixed = random.Random(20)  # noqa: S311 - the same lists and addresses every time
    peers = [str(IPv4Address(fixed.getrandbits(32))) for _ in range(CALLS)]
    lists = {
        "21": edgeauth.AddressList.fastly(),
        **{
            str(size): edgeauth.AddressList(
                # Every other /24, so that no two merge.
                [str(IPv4Address((n << 9) % 2**32)) + "/24" for n in range(1, size + 1)]
            )
            for size in (1_000, 100_000)
        },
    }
    networks = [ip_network(str(network)) for network in lists["21"].networks]
    timings = side_by_side(
        {
            "hmac": lambda: [hmac.digest(KEY, b"1700000000,LHR", "sha256") for _ in range(CALLS)],
            **{
                size: lambda addresses=addresses: [peer in addresses for peer in peers]
                for size, addresses in lists.items()
            },
            "scan": lambda: [
                any(address in network for network in networks)
                for address in map(ip_address, peers)
            ],
        },
        calls=CALLS,
    )

    def row(name: str, label: str, limit: float | None = None) -> Row:
        return Row(label, timings[name].median, timings[name].ratio(timings["hmac"]), limit)

    growth = timings["100000"].ratio(timings["21"])
    return Group(
        title="Look an address up",
        unit="hmac.digest alone",
        rows=[
            # 0.6 µs where hmac.digest takes 1.5 µs.
            row("21", "21 networks (Fastly's list)", 0.4),
            row("1000", "1,000 networks"),
            row("100000", "100,000 networks"),
            # The bound is the ratio of the logarithms of the two lengths.
            Row("100,000 networks, to 21", None, growth, 3.8),
            row("scan", "21 networks, a scan with the ipaddress module"),
        ],
        notes=["Different addresses each time, from text, as servers hand them over."],
    )

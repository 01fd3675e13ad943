"""Writes the address list for programs in front of the app: proxies and firewalls.

They check addresses before the app is asked. That is only a cheap first wall: every customer of
the edge comes from these addresses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.addresses import AddressList
    from edgeauth.networks import Network


def export(addresses: AddressList, form: str) -> str:
    """*addresses* in one of the FORMATS, networks that retire included."""
    return FORMATS[form](addresses)


def _nginx(addresses: AddressList) -> str:
    allowed = "".join(f"allow {net};\n" for net in addresses.networks)
    return f"# include in http, server or location\n{allowed}deny all;\n"


def _haproxy(addresses: AddressList) -> str:
    head = "# http-request deny unless { src -f THIS-FILE }\n"
    return head + "".join(f"{net}\n" for net in addresses.networks)


def _caddy(addresses: AddressList) -> str:
    ranges = " ".join(map(str, addresses.networks))
    return (
        "# import THIS-FILE at the top of the Caddyfile, and in a site: import edge_only\n"
        "(edge_only) {\n"
        f"\t@not_edge not remote_ip {ranges}\n"
        "\trespond @not_edge 403\n"
        "}\n"
    )


def _envoy(addresses: AddressList) -> str:
    ranges = [
        {
            "direct_remote_ip": {
                "address_prefix": str(net.network_address),
                "prefix_len": net.prefixlen,
            }
        }
        for net in addresses.networks
    ]
    rules = {
        "action": "ALLOW",
        "policies": {"edge": {"permissions": [{"any": True}], "principals": ranges}},
    }
    one = {
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": rules,
        },
    }
    # JSON is YAML: the first of http_filters.
    return json.dumps(one, indent=2) + "\n"


def _nftables(addresses: AddressList) -> str:
    # nft applies a file as a whole or not at all, and this one may be applied again.
    lines = ["# nft -f THIS-FILE; then, in a chain: ip saddr @edge_v4 accept", *_NFT_HEAD]
    for version in (4, 6):
        lines.append(f"flush set inet edgeauth edge_v{version}")
        networks = _of_version(addresses, version)
        if networks:
            elements = ", ".join(map(str, networks))
            lines.append(f"add element inet edgeauth edge_v{version} {{ {elements} }}")
    return "\n".join(lines) + "\n"


_NFT_HEAD = (
    "add table inet edgeauth",
    "add set inet edgeauth edge_v4 { type ipv4_addr; flags interval; auto-merge; }",
    "add set inet edgeauth edge_v6 { type ipv6_addr; flags interval; auto-merge; }",
)


def _ipset(addresses: AddressList) -> str:
    # A new set is filled, and then swapped with the set in use in one step.
    lines = ["# ipset restore < THIS-FILE; then: iptables ... -m set --match-set edge_v4 src"]
    for version, family in ((4, "inet"), (6, "inet6")):
        name, new = f"edge_v{version}", f"edge_v{version}_new"
        lines += [f"create {each} hash:net family {family} -exist" for each in (name, new)]
        lines.append(f"flush {new}")
        lines += [f"add {new} {net}" for net in _of_version(addresses, version)]
        lines += [f"swap {new} {name}", f"destroy {new}"]
    return "\n".join(lines) + "\n"


def _json(addresses: AddressList) -> str:
    document = {
        "addresses": [str(net) for net in _of_version(addresses, 4)],
        "ipv6_addresses": [str(net) for net in _of_version(addresses, 6)],
    }
    return json.dumps(document, indent=2) + "\n"


def _of_version(addresses: AddressList, version: int) -> list[Network]:
    return [net for net in addresses.networks if net.version == version]


FORMATS: dict[str, Callable[[AddressList], str]] = {
    "nginx": _nginx,
    "nftables": _nftables,
    "ipset": _ipset,
    "haproxy": _haproxy,
    "caddy": _caddy,
    "envoy": _envoy,
    "json": _json,
}

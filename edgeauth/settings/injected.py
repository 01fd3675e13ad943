"""Variables that a cluster or a container engine sets by itself, for a service of our name.

Kubernetes sets these for each Service, unless ``enableServiceLinks`` is off, and ``edgeauth`` is
a usual name for ours::

    EDGEAUTH_SERVICE_HOST=10.0.0.1
    EDGEAUTH_SERVICE_PORT=8080
    EDGEAUTH_SERVICE_PORT_HTTP=8080
    EDGEAUTH_PORT=tcp://10.0.0.1:8080
    EDGEAUTH_PORT_8080_TCP=tcp://10.0.0.1:8080
    EDGEAUTH_PORT_8080_TCP_PROTO=tcp
    EDGEAUTH_PORT_8080_TCP_PORT=8080
    EDGEAUTH_PORT_8080_TCP_ADDR=10.0.0.1

Docker's ``--link web:edgeauth`` sets the last five as well, ``EDGEAUTH_NAME=/app/edgeauth``, and
``EDGEAUTH_ENV_<NAME>`` for the variables of the other container.

Sources: ``pkg/kubelet/envvars/envvars.go`` of Kubernetes; ``daemon/links/links.go`` of Docker.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PORT = "[0-9]{1,5}"
_ADDRESS = "[0-9A-Fa-f:.]{2,45}"
_URL = rf"(?:tcp|udp|sctp)://(?:\[({_ADDRESS})\]|([0-9.]{{7,15}})):{_PORT}"

# What the name of a service is followed by, and the value that stands there. Where a name has
# a port or a protocol in it, the value must be of the same.
_OF_A_PORT = (
    rf"_PORT={_URL}"
    rf"|_PORT_({_PORT})_(?P<kind>TCP|UDP|SCTP)(?:"
    # The range of ports, from START to END, is Docker's.
    rf"(?:_START|_END)?=(?i:(?P=kind))://(?:\[{_ADDRESS}\]|[0-9.]+):{_PORT}"
    rf"|_PROTO=(?i:(?P=kind))|_PORT=\3|_PORT_(?:START|END)={_PORT}|_ADDR={_ADDRESS})"
)
_OF_KUBERNETES = re.compile(
    rf"{_OF_A_PORT}|_SERVICE_HOST={_ADDRESS}|_SERVICE_PORT(?:_[A-Z0-9_]+)?={_PORT}"
)
_OF_DOCKER = re.compile(rf"{_OF_A_PORT}|_NAME=/.+|_ENV_.+=.*", re.DOTALL)


def injected(environ: Mapping[str, str]) -> set[str]:
    """The names in *environ* that were set so.

    Each is told by its name and its value together, and only beside those that always come
    with it: a mistyped setting stays one.
    """
    return {
        name
        for service, form in _services(environ)
        for name, value in environ.items()
        if name.startswith(service) and form.fullmatch(f"{name.removeprefix(service)}={value}")
    }


def _services(environ: Mapping[str, str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The services that there are links to, each with the form of its variables."""
    for name, value in environ.items():
        if name.endswith("_SERVICE_HOST"):
            service = name.removesuffix("_SERVICE_HOST")
            # Any of them: a Service edgeauth-service can hide EDGEAUTH_SERVICE_PORT.
            if any(
                other.startswith(f"{service}_PORT") and value in _hosts(url)
                for other, url in environ.items()
            ):
                yield service, _OF_KUBERNETES
        elif name.endswith("_NAME"):
            service = name.removesuffix("_NAME")
            container, _, alias = value.rpartition("/")
            if container.startswith("/") and alias.upper().replace("-", "_") == service:
                yield service, _OF_DOCKER


def _hosts(url: str) -> tuple[str | None, ...]:
    match = re.fullmatch(_URL, url)
    return () if match is None else match.groups()

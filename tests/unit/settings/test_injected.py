"""Variables that Kubernetes and Docker set for a service that is called like a setting."""

from __future__ import annotations

import pytest
from support.vectors import SECRET

from edgeauth import ConfigurationError, Settings
from edgeauth.service.settings import ServiceSettings


def service_links(name, host="10.96.0.17", *ports):
    """As Kubernetes sets them (pkg/kubelet/envvars); *ports* are (name, protocol, number)."""
    ports = ports or (("http", "tcp", 8080), ("dns-udp", "udp", 53))
    base = name.upper().replace("-", "_")
    joined = f"[{host}]" if ":" in host else host
    first = ports[0]
    links = {
        f"{base}_SERVICE_HOST": host,
        f"{base}_SERVICE_PORT": str(first[2]),
        f"{base}_PORT": f"{first[1]}://{joined}:{first[2]}",
    }
    for port_name, protocol, number in ports:
        if port_name:
            links[f"{base}_SERVICE_PORT_{port_name.upper().replace('-', '_')}"] = str(number)
        prefix = f"{base}_PORT_{number}_{protocol.upper()}"
        links[prefix] = f"{protocol}://{joined}:{number}"
        links[f"{prefix}_PROTO"] = protocol
        links[f"{prefix}_PORT"] = str(number)
        links[f"{prefix}_ADDR"] = host
    return links


DOCKER_LINKS = {
    "EDGEAUTH_NAME": "/shop/edgeauth",
    "EDGEAUTH_PORT": "tcp://172.17.0.2:8080",
    "EDGEAUTH_PORT_8080_TCP": "tcp://172.17.0.2:8080",
    "EDGEAUTH_PORT_8080_TCP_PROTO": "tcp",
    "EDGEAUTH_PORT_8080_TCP_PORT": "8080",
    "EDGEAUTH_PORT_8080_TCP_ADDR": "172.17.0.2",
    "EDGEAUTH_PORT_9000_TCP_START": "tcp://172.17.0.2:9000",
    "EDGEAUTH_PORT_9000_TCP_END": "tcp://172.17.0.2:9002",
    "EDGEAUTH_PORT_9000_TCP_PORT_START": "9000",
    "EDGEAUTH_PORT_9000_TCP_PORT_END": "9002",
    "EDGEAUTH_ENV_EDGEAUTH_SECRET": "of the other container",
    "EDGEAUTH_ENV_LANG": "",
    "EDGEAUTH_ENV_KEY": "of several\nlines",
}

HOST = {"EDGEAUTH_SERVICE_HOST": "10.0.0.1"}


def start(environ):
    """What the app and the service read at start."""
    environ = {"EDGEAUTH_SECRET": SECRET, **environ}
    assert ServiceSettings.load(None, environ) == ServiceSettings()
    return Settings.from_environ(environ)


@pytest.mark.parametrize(
    "links",
    [
        service_links("edgeauth"),
        service_links("edgeauth", "fd00:10:96::11"),
        service_links("edgeauth", "FD00:10:96::1F"),
        service_links("edgeauth", "10.96.0.17", ("", "tcp", 80)),
        service_links("edgeauth", "10.96.0.17", ("peers", "sctp", 7000)),
        service_links("edgeauth-x"),
        service_links("edgeauth-service"),
        service_links("edgeauth-service-port"),
        service_links("edgeauth-max-age"),
        service_links("edgeauth") | service_links("edgeauth-service", "10.96.0.18"),
        DOCKER_LINKS,
        {"EDGEAUTH_NAME": "/shop/edgeauth"},
        {"EDGEAUTH_SHOP_NAME": "/web/edgeauth-shop", "EDGEAUTH_SHOP_ENV_A": "b"},
    ],
    ids=lambda links: f"{next(iter(links))} {len(links)}",
)
def test_the_links_of_a_cluster_are_no_settings(links):
    settings = start({**links, "HOME": "/", "EDGEAUTH_MAX_AGE": "20"})
    assert settings.only_scheme().options["max_age"] == 20


@pytest.mark.parametrize(
    ("environ", "unknown"),
    [
        # What looks like a link, without those that come with it.
        ({"EDGEAUTH_PORT": "tcp://10.0.0.1:8080"}, "EDGEAUTH_PORT"),
        ({"EDGEAUTH_PORT": "8080"}, "EDGEAUTH_PORT"),
        ({"EDGEAUTH_NAME": "edgeauth"}, "EDGEAUTH_NAME"),
        ({"EDGEAUTH_NAME": "/shop/other"}, "EDGEAUTH_NAME"),
        ({"EDGEAUTH_ENV_A": "b"}, "EDGEAUTH_ENV_A"),
        ({"EDGEAUTH_SERVICE_PORT": "8080"}, "EDGEAUTH_SERVICE_PORT"),
        ({"EDGEAUTH_SERVICE_HOST": "10.0.0.1"}, "EDGEAUTH_SERVICE_HOST"),
        # What comes with it is of another host, or of another service.
        ({**HOST, "EDGEAUTH_PORT": "tcp://10.0.0.2:80"}, "EDGEAUTH_SERVICE_HOST"),
        ({**HOST, "OTHER_PORT": "tcp://10.0.0.1:80"}, "EDGEAUTH_SERVICE_HOST"),
        # A setting beside the links, or a value that no cluster would write.
        ({**service_links("edgeauth"), "EDGEAUTH_PORTS": "80"}, "EDGEAUTH_PORTS"),
        ({**service_links("edgeauth"), "EDGEAUTH_PORT": "10.0.0.1:8080"}, "EDGEAUTH_PORT"),
        ({**service_links("edgeauth"), "EDGEAUTH_PORT_8080_TCP_PORT": "80"}, "_TCP_PORT"),
        ({**service_links("edgeauth"), "EDGEAUTH_PORT_8080_TCP_PROTO": "udp"}, "_TCP_PROTO"),
        ({**service_links("edgeauth"), "EDGEAUTH_PORT_8080_TCP": "udp://10.0.0.1:1"}, "_8080_TCP"),
        ({**service_links("edgeauth"), "EDGEAUTH_SERVICE_PORT_ADMIN": "off"}, "_PORT_ADMIN"),
        ({**service_links("edgeauth"), "EDGEAUTH_SERVICE_WORKER": "2"}, "SERVICE_WORKER"),
    ],
)
def test_any_other_unknown_name_is_an_error(environ, unknown):
    with pytest.raises(ConfigurationError, match=rf"unknown setting '\w*{unknown}'"):
        start(environ)

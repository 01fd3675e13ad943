"""The manifests and the chart: they validate, agree, and refuse values that cannot work."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml
from support.edge_tools import INTEGRATIONS
from support.helm import CHART, VARIANTS, helm, rendered, validate, values_of

import edgeauth
from edgeauth.service.settings import ServiceSettings

KUBERNETES = INTEGRATIONS / "kubernetes"
# In the chart alone.
LABELS = {"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}

Document = dict[str, Any]


def plain() -> list[Document]:
    text = (KUBERNETES / "edgeauth.yaml").read_text()
    monitor = (KUBERNETES / "servicemonitor.yaml").read_text()
    return [*yaml.safe_load_all(text), *yaml.safe_load_all(monitor)]


def ingress() -> list[Document]:
    return list(yaml.safe_load_all((INTEGRATIONS / "nginx" / "ingress-nginx.yaml").read_text()))


def one(kind: str, documents: list[Document]) -> Document:
    [found] = [document for document in documents if document["kind"] == kind]
    return found


def check_monitor(monitor: Document, service: Document) -> None:
    """The operator's schema is not at hand: what it needs to find the port is looked at."""
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
    assert set(monitor["spec"]) == {"selector", "endpoints"}
    chosen = monitor["spec"]["selector"]["matchLabels"]
    assert chosen.items() <= service["metadata"]["labels"].items()
    [endpoint] = monitor["spec"]["endpoints"]
    assert set(endpoint) == {"port", "path", "interval"}
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] == "/metrics"
    assert re.fullmatch(r"\d+s", endpoint["interval"])


def check(documents: list[Document]) -> None:
    for document in documents:
        if document["kind"] == "ServiceMonitor":
            check_monitor(document, one("Service", documents))
        else:
            validate(document)


def test_the_plain_manifests_validate():
    check(plain())
    check(ingress())


def test_a_field_that_kubernetes_does_not_know_would_be_found():
    deployment = one("Deployment", plain())
    deployment["spec"]["template"]["spec"]["enableServicelinks"] = False

    with pytest.raises(pytest.fail.Exception, match="enableServicelinks"):
        validate(deployment)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_chart_lints_and_what_it_renders_validates(variant: str):
    linted = helm("lint", "--strict", CHART, "-f", values_of(variant))

    assert linted.returncode == 0, linted.stdout + linted.stderr
    check(rendered(variant))


def test_the_chart_says_which_version_it_is_of():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["appVersion"] == edgeauth.__version__
    text = (KUBERNETES / "edgeauth.yaml").read_text()
    assert f"image: registry.example.com/edgeauth:{edgeauth.__version__}\n" in text


def without_words_of_helm(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: without_words_of_helm(value)
            for name, value in part.items()
            if name not in LABELS and name != "annotations"
        }
    return [without_words_of_helm(value) for value in part] if isinstance(part, list) else part


def test_the_chart_renders_what_the_plain_manifests_say():
    of_chart = rendered("default", "--set", "serviceMonitor.enabled=true")
    kinds = {document["kind"]: document for document in of_chart}

    assert len(kinds) == len(of_chart)
    by_hand = {document["kind"]: document for document in plain()}
    assert by_hand.pop("Namespace")["metadata"]["name"] == "edgeauth"
    assert {kind: without_words_of_helm(found) for kind, found in kinds.items()} == by_hand


@pytest.mark.parametrize("variant", VARIANTS)
def test_whatever_the_values_the_pod_is_confined_as_the_strictest_standard_asks(variant: str):
    spec = one("Deployment", rendered(variant))["spec"]["template"]["spec"]
    [container] = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is False
    for mount in container["volumeMounts"]:
        assert "subPath" not in mount
        assert mount.get("readOnly") or mount["mountPath"] == "/var/lib/edgeauth"


def test_every_pod_is_selected_by_its_service_its_policy_and_its_budget():
    documents = rendered("redis")
    labels = one("Deployment", documents)["spec"]["template"]["metadata"]["labels"].items()

    assert one("Service", documents)["spec"]["selector"].items() <= labels
    for kind, name in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        assert one(kind, documents)["spec"][name]["matchLabels"].items() <= labels
    ports = {port["targetPort"] for port in one("Service", documents)["spec"]["ports"]}
    [container] = one("Deployment", documents)["spec"]["template"]["spec"]["containers"]
    assert ports == {port["name"] for port in container["ports"]}


def test_the_ingress_asks_the_service_of_the_manifests():
    service = one("Service", plain())["metadata"]
    annotations = one("Ingress", ingress())["metadata"]["annotations"]
    url = annotations["nginx.ingress.kubernetes.io/auth-url"]

    assert url == f"http://{service['name']}.{service['namespace']}.svc.cluster.local:9000/"


def test_the_table_of_the_service_is_one_that_it_reads():
    config = one("ConfigMap", rendered("trusted-proxies"))["data"]["edgeauth.toml"]
    table = tomllib.loads(config)
    settings = ServiceSettings.of_document(table, {})

    assert settings.listen == "0.0.0.0:9000"
    assert settings.proxy_addresses == ("10.244.0.0/16", "fd00:10:244::/56")
    assert table["trusted_proxies"] == ["10.244.0.0/16", "10.0.0.0/24"]


def test_new_settings_make_new_pods_and_new_keys_do_not():
    def annotations(*options: str) -> Any:
        deployment = one("Deployment", rendered("default", *options))
        return deployment["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations()
    assert annotations() != annotations("--set", "service.workers=2")


def test_an_image_named_by_its_digest_is_not_named_by_a_tag():
    [container] = one("Deployment", rendered("trusted-proxies"))["spec"]["template"]["spec"][
        "containers"
    ]

    assert re.fullmatch(r"registry\.example\.com/edgeauth@sha256:[0-9a-f]{64}", container["image"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["proxyAddresses=null"], "proxyAddresses"),
        (["proxyAddresses={everybody}"], "does not match pattern"),
        (["existingSecret="], "existingSecret"),
        (["replica=3"], "additional properties 'replica' not allowed"),
        (["service.denyStatus=404"], "denyStatus"),
        (["image.digest=latest"], "digest"),
        (["extraEnv[0].name=EDGEAUTH_SECRET", "extraEnv[0].value=x"], "extraEnv/0/name"),
        (["config=[service]"], "/config"),
        (['config=replay = "memory"'], "each pod would admit a credential once"),
        (['config=replay = "sqlite:/var/lib/edgeauth/seen.db"'], "each pod would admit"),
        (["extraEnv[0].name=EDGEAUTH_REPLAY", "extraEnv[0].value=memory"], "each pod would admit"),
    ],
)
def test_values_that_cannot_work_end_the_installation(options: list[str], said: str):
    words = [word for option in options for word in ("--set", option)]
    done = helm("template", "edgeauth", CHART, "-f", values_of("default"), *words)

    assert done.returncode == 1
    assert said in done.stderr


def test_with_a_store_in_the_pod_two_pods_never_run_at_a_time():
    documents = rendered("one-pod")
    deployment = one("Deployment", documents)["spec"]

    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    # A budget of one pod would keep its node from being drained.
    assert "PodDisruptionBudget" not in {document["kind"] for document in documents}


def test_the_service_may_connect_to_nothing_but_what_the_values_name():
    assert one("NetworkPolicy", rendered("default"))["spec"]["egress"] == []
    rules = one("NetworkPolicy", rendered("redis"))["spec"]["egress"]
    assert [rule["ports"][0]["port"] for rule in rules] == [6379, 53]


def test_what_a_person_reads_after_the_installation_names_the_service_and_the_secret():
    done = helm(
        *("install", "edgeauth", CHART, "--namespace", "shop", "-f", values_of("redis")),
        *("--dry-run=client",),
    )

    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert "http://edgeauth.shop.svc.cluster.local:9000/" in notes
    assert "shop-edge-keys" in notes

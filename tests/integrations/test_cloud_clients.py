"""The clients of the storage clouds, pointed at an own origin: it lets in what they sign."""

from __future__ import annotations

import contextlib
from base64 import b64encode

import alibabacloud_oss_v2 as oss
import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient
from support.cloud_key_apps import AZURE_SECRET, GATES, OSS_SECRET
from support.processes import HOST
from support.servers import SERVERS

from edgeauth.clients.httpx import EdgeAuth

SERVER = SERVERS["uvicorn-httptools"]


@contextlib.contextmanager
def origin(folder, kind, hole=""):
    env = {"KIND": kind, "HOLE": hole}
    with SERVER.serving("support.cloud_key_apps:origin", folder, env=env) as running:
        yield running.address[1]


def statuses_of_azure(port, secret):
    """What a container of blobs would be asked, and how the origin answers."""
    found = []
    credential = {"account_name": "edgeacct", "account_key": secret}
    blob = BlobClient(f"http://{HOST}:{port}", "c", "a b.txt", credential=credential)

    def hook(response):
        found.append(response.http_response.status_code)

    for call, arguments in (
        (blob.exists, {}),
        (blob.upload_blob, {"data": b"hello", "metadata": {"a_b": "1", "a1": "2"}}),
        (blob.set_http_headers, {}),
        (blob.delete_blob, {}),
    ):
        # It is no store of Azure's that answers.
        with contextlib.suppress(HttpResponseError):
            call(raw_response_hook=hook, retry_total=0, **arguments)
    return found


def test_what_azures_client_for_python_sends_is_let_in(tmp_path):
    with origin(tmp_path, "azure") as port:
        assert statuses_of_azure(port, AZURE_SECRET) == [200] * 4
        assert statuses_of_azure(port, b64encode(b"another" * 9).decode()) == [403] * 4


def statuses_of_oss(port, secret, version):
    """As the other. This client signs no Host."""
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider("LTAI5t", secret)
    config.region, config.signature_version = "cn-hangzhou", version
    # By a name: of an address it would write the bucket into the path.
    config.endpoint, config.use_cname = f"http://localhost:{port}", True
    config.retry_max_attempts = 1
    client = oss.Client(config)
    found = []
    for call, request in (
        (client.head_object, oss.HeadObjectRequest("shop", "a b/c.txt")),
        (client.put_object, oss.PutObjectRequest("shop", "a+b", body=b"x", metadata={"a": "1"})),
        (client.delete_object, oss.DeleteObjectRequest("shop", "x", version_id="1")),
    ):
        try:
            found.append(call(request).status_code)
        except oss.exceptions.OperationError as error:
            found.append(error.unwrap().status_code)
    return found


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_what_the_client_of_oss_for_python_sends_is_let_in(tmp_path, version):
    with origin(tmp_path, f"oss-{version}", "any host" if version == "v4" else "") as port:
        assert statuses_of_oss(port, OSS_SECRET, version) == [200] * 3
        assert statuses_of_oss(port, "another-secret-of-30-characters", version) == [403] * 3


def test_a_client_that_signs_no_host_is_refused_where_the_host_must_be_signed(tmp_path):
    with origin(tmp_path, "oss-v4") as port:
        assert statuses_of_oss(port, OSS_SECRET, "v4") == [403] * 3


@pytest.mark.parametrize("name", GATES)
def test_our_own_client_signs_what_the_gate_takes(tmp_path, name):
    kind, given, key = GATES[name]
    with origin(tmp_path, name) as port:
        with httpx.Client(auth=EdgeAuth(key, scheme=kind, **given)) as client:
            url = f"http://{HOST}:{port}/a%20b?q=1&r=x+y"
            assert client.get(url).status_code == 200
            assert client.post(url, content=b"amount=1").status_code == 200
            assert client.put(url, json={"a": 1}).status_code == 200
            assert client.delete(url).status_code == 200
        assert httpx.get(url).status_code == 403

"""The three forms that the vendor's own samples make, written from the wire format alone.

Who has one of these in service keeps it: the origin accepts it as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import httpx
import pytest
from support.origin import origin_with
from support.vectors import SECRET


def mac(signed: str) -> bytes:
    return hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256)


def vcl(timestamp: int) -> str:
    signed = f"{timestamp},LHR"
    return f"{signed},0x{mac(signed).hex()}"


def compute_rust(timestamp: int) -> str:
    signed = f"{timestamp},LHR"
    return f"{signed}, {base64.b64encode(mac(signed)).decode()}"


def compute_javascript(timestamp: int) -> str:
    return f"{timestamp},{mac(str(timestamp)).hex()}"


def ask(origin, value: str) -> httpx.Response:
    return httpx.get(origin.url, headers={"Edge-Auth": value})


@pytest.fixture(scope="module")
def lenient_origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lenient")
    with origin_with(folder, EDGEAUTH_REQUIRE_POP="false") as started:
        yield started


@pytest.mark.parametrize("sample", [vcl, compute_rust])
def test_a_sample_that_signs_the_pop_is_accepted(origin, sample):
    assert ask(origin, sample(int(time.time()))).json()["pop"] == "LHR"
    assert ask(origin, sample(int(time.time()) - 90)).status_code == 403


def test_the_sample_that_signs_no_pop_is_accepted_where_none_is_required(origin, lenient_origin):
    value = compute_javascript(int(time.time()))
    assert ask(lenient_origin, value).json()["pop"] is None
    assert ask(origin, value).status_code == 403


@pytest.mark.parametrize("sample", [vcl, compute_rust, compute_javascript])
def test_a_sample_whose_signature_came_out_empty_is_refused_with_a_hint(lenient_origin, sample):
    signed, _, _ = sample(int(time.time())).rpartition(",")
    before = len(lenient_origin.log.read_text())
    assert ask(lenient_origin, f"{signed},").status_code == 403
    assert "is the secret set at the edge?" in lenient_origin.log.read_text()[before:]

"""What settings of a guard are made into, and where each of them is read from."""

from __future__ import annotations

import codecs
import json

import pytest
from support.requests import PlainRequest
from support.token_keys import ISSUER, jwks, signed
from support.token_keys import NOW as TOKEN_NOW
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, KeyRing, Settings, VerificationError
from edgeauth.keys import MAX_SECRET_BYTES

LINKS = {
    "EDGEAUTH_SERVICE_HOST": "10.0.0.1",
    "EDGEAUTH_SERVICE_PORT": "8080",
    "EDGEAUTH_PORT": "tcp://10.0.0.1:8080",
}
CERTIFICATE = {"scheme": "client-certificate", "fingerprints": ["ab" * 20]}


@pytest.mark.parametrize(
    "read",
    [
        lambda environ: Settings.load(None, environ),
        lambda environ: Settings.of_document({"max_age": 9}, environ),
        lambda environ: Settings.from_mapping({"max_age": 9}).with_environ(environ),
    ],
)
def test_variables_that_a_cluster_sets_are_told_by_the_others_beside_them(read):
    assert read({**LINKS, "EDGEAUTH_MAX_AGE": "20"}) == Settings(max_age=20)
    with pytest.raises(ConfigurationError, match="unknown setting 'EDGEAUTH_PORT'"):
        read({"EDGEAUTH_PORT": LINKS["EDGEAUTH_PORT"]})


def test_of_a_document_the_variables_win_and_what_is_the_services_is_left_alone():
    document = {"max_age": 9, "mode": "report-only", "service": {"workers": 2}}

    settings = Settings.of_document(document, {"EDGEAUTH_MAX_AGE": "20"})

    assert settings == Settings(max_age=20, mode="report-only")


def test_the_document_is_read_beside_the_variables_of_the_process(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_MAX_AGE", "20")

    assert Settings.of_document({"max_age": 9}) == Settings(max_age=20)


def test_a_setting_that_does_not_fit_is_named_whoever_wrote_it():
    with pytest.raises(ConfigurationError, match=r"^max_age is set, and the scheme"):
        Settings(max_age=9).with_environ({"EDGEAUTH_SCHEME": "shared-secret"})


def test_the_cdn_of_the_one_scheme_names_the_addresses():
    assert Settings(cdn="fastly").addresses == "fastly"
    assert Settings(cdn="fastly").default("addresses") == "fastly"
    assert Settings(cdn="fastly", addresses=None).addresses is None


def test_secrets_from_elsewhere_are_those_and_no_other():
    settings = Settings(secret=SECRET, max_age=9)

    assert settings.with_secrets(secrets_file="/f") == Settings(secrets_file="/f", max_age=9)
    assert settings.with_secrets(secrets_dir="/d") == Settings(secrets_dir="/d", max_age=9)


def test_a_ring_that_was_built_already_is_that_of_the_one_scheme():
    ring = KeyRing.from_text(f"old:{OLDER_SECRET}\nnew:{SECRET}", "a text")

    assert Settings().build_scheme(ring).keys is ring
    assert Settings().build_scheme([ring]).keys is ring


def test_each_scheme_takes_its_own_ring_and_files_and_none_is_left_out():
    two = Settings.from_mapping(
        {"schemes": [{"secret": SECRET}, {"scheme": "shared-secret", "secret": OLDER_SECRET}]}
    )

    for keys, files in (([None], None), (None, [{}]), ([None] * 3, None), (None, [{}] * 3)):
        with pytest.raises(ValueError, match="argument"):
            two.build_scheme(keys, files)


def test_what_was_read_of_a_file_is_not_read_again(tmp_path):
    token = {"scheme": "signed-token", "header": "X-Token", "algorithm": "EdDSA", "issuer": ISSUER}
    absent = Settings.from_mapping({**token, "jwks": str(tmp_path / "absent")})
    request = PlainRequest(fields=[("X-Token", signed("EdDSA"))])

    scheme = absent.build_scheme(None, [{"jwks": jwks("EdDSA")}])

    assert scheme.verify(request, now=TOKEN_NOW).key_id == "one"
    (tmp_path / "there").write_text(json.dumps(jwks("EdDSA")))
    there = Settings.from_mapping({**token, "jwks": str(tmp_path / "there")}).build_scheme()
    assert there.verify(request, now=TOKEN_NOW).key_id == "one"


def test_a_scheme_that_believes_a_proxy_believes_those_of_the_settings():
    scheme = Settings.from_mapping({**CERTIFICATE, "trusted_proxies": ["10.0.0.1"]}).build_scheme()
    fields = [
        ("X-SSL-Client-Fingerprint", b"ab" * 20),
        ("X-SSL-Client-Verify", b"SUCCESS"),
    ]

    assert scheme.verify(PlainRequest(peer="10.0.0.1", fields=fields), now=0).key_id == "ab" * 20
    with pytest.raises(VerificationError):
        scheme.verify(PlainRequest(peer="10.0.0.2", fields=fields), now=0)


@pytest.fixture
def passes_of(tmp_path):
    """What verifies passes, of a file with this in it."""
    file = tmp_path / "pass"

    def build(content):
        file.write_bytes(content)
        return Settings(pass_secret_file=str(file)).build_passes()

    build.name = repr(str(file))
    return build


def test_the_longest_secret_of_passes_may_have_a_mark_and_a_line_end(passes_of):
    secret = (SECRET * 99).encode()[:MAX_SECRET_BYTES]

    assert passes_of(codecs.BOM_UTF8 + secret + b"\r\n").secret == secret


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\xff" * 20, "is not UTF-8 text"),
        (b"a\nb", "has several lines"),
        (b"x" * 2000, "is longer than a secret"),
    ],
)
def test_a_file_that_holds_no_secret_of_passes_is_named(passes_of, content, why):
    with pytest.raises(ConfigurationError) as caught:
        passes_of(content)
    assert str(caught.value).startswith(f"pass_secret_file {passes_of.name} {why}")


def test_a_file_without_an_end_is_not_read_to_its_end():
    with pytest.raises(ConfigurationError, match="is longer than a secret"):
        Settings(pass_secret_file="/dev/zero").build_passes()


def test_ids_that_are_revoked_may_stand_in_the_settings_and_in_a_file(tmp_path):
    (tmp_path / "revoked").write_text("0b\n")
    settings = Settings(
        pass_secret=SECRET,
        revoked_passes=("0a",),
        revoked_passes_file=str(tmp_path / "revoked"),
    )

    assert set(settings.build_passes().revoked) == {"0a", "0b"}

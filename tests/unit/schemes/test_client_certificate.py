"""What a proxy says of a certificate is believed from a trusted proxy, and from nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.requests import PlainRequest

from edgeauth import (
    AnyOf,
    ConfigurationError,
    Guard,
    Settings,
    SharedSecretScheme,
    VerificationError,
)
from edgeauth.forwarded import TrustedProxies
from edgeauth.schemes.client_certificate import ClientCertificateScheme
from edgeauth.schemes.needs import behind

PROXY, ELSEWHERE = "10.0.0.1", "192.0.2.1"
SHA1, NEXT, SHA256 = "ab" * 20, "0123456789abcdef0123" * 2, "cd" * 32
HEADER, VERIFIED = "X-Print", "X-Verified"
SECRET = "Dw0zXhVhmEGc3LAbrYnJ"


def certificate(fingerprints=(SHA1, NEXT), **more):
    return ClientCertificateScheme(fingerprints, header=HEADER, verified_header=VERIFIED, **more)


def told(*fingerprints, verified=("SUCCESS",), peer=PROXY, **more):
    fields = [(HEADER, one.encode()) for one in fingerprints]
    fields += [(VERIFIED, one.encode()) for one in verified]
    return PlainRequest(fields=fields, peer=peer, **more)


@pytest.fixture
def guard():
    return Guard(certificate(), trusted_proxies=[PROXY])


@pytest.mark.parametrize("one", [SHA1, NEXT, NEXT.upper()])
def test_each_certificate_is_accepted_and_covers_nothing(guard, one):
    verdict = guard.check(told(one))

    assert (verdict.reason, verdict.identity.key_id) == ("ok", one.lower())
    assert (verdict.scheme, verdict.identity.covers) == ("client-certificate", frozenset())
    assert guard.stripped_headers == (HEADER, VERIFIED)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (told(verified=()), "missing"),
        (told(verified=("NONE",)), "missing"),
        (told(SHA1, verified=()), "missing"),
        (told(verified=("SUCCESS",)), "missing"),
        (told(SHA1, verified=("NONE",)), "missing"),
        (told(SHA1, verified=("FAILED:certificate has expired",)), "bad-signature"),
        (told(SHA1, verified=("0",)), "bad-signature"),
        (told(SHA1, verified=("success",)), "bad-signature"),
        (told(SHA1, verified=("",)), "bad-signature"),
        (told(SHA1, verified=("SUCCESS,SUCCESS",)), "bad-signature"),
        (told(SHA1, verified=("SUCCESS", "SUCCESS")), "malformed"),
        (told(SHA1, verified=("NONE", "SUCCESS")), "malformed"),
        (told(SHA1, SHA1), "malformed"),
        (told(f"{SHA1},{SHA1}"), "malformed"),
        (told(""), "malformed"),
        (told(SHA1[:-1]), "malformed"),
        (told(SHA1[:-2]), "malformed"),
        (told(SHA1 + "00"), "malformed"),
        (told("CN=edge"), "malformed"),
        (told("ff" * 20), "claims"),
        (told(SHA256), "claims"),
        (told(SHA1, peer=ELSEWHERE), "address"),
        (told(SHA1, peer=None), "address"),
        (told(SHA1, peer=None, unix=True), "address"),
        (told(verified=("NONE",), peer=ELSEWHERE), "address"),
        (told(verified=(), peer=ELSEWHERE), "missing"),
    ],
)
def test_anything_else_is_refused(guard, request_, reason):
    assert guard.check(request_).reason == reason


def test_a_proxy_on_a_unix_socket_is_believed_where_it_is_named():
    guard = Guard(certificate(), trusted_proxies=["unix"])

    assert guard.check(told(SHA1, peer=None, unix=True)).reason == "ok"
    assert guard.check(told(SHA1, peer=PROXY)).reason == "address"


def test_fields_that_may_be_trailers_are_not_the_proxys(guard):
    request = told(SHA1)
    request.fields += [
        ("X-Forwarded-For", b"192.0.2.1"),
        ("X-Forwarded-For", b"10.0.0.1"),
        ("Transfer-Encoding", b"chunked"),
    ]

    assert guard.check(request).reason == "address"


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: AnyOf(SharedSecretScheme([SECRET]), one)]
)
def test_a_guard_without_trusted_proxies_is_an_error_at_start(wrap):
    with pytest.raises(
        ConfigurationError, match=r"'client-certificate' .* trusted_proxies is empty"
    ):
        Guard(wrap(certificate()))


def test_a_scheme_that_no_guard_holds_believes_nobody():
    alone = certificate()
    with pytest.raises(Exception, match="not from a trusted proxy"):
        alone.verify(told(SHA1), now=0)
    # What a guard made of it is another one.
    Guard(alone, trusted_proxies=[PROXY])
    with pytest.raises(Exception, match="not from a trusted proxy"):
        alone.verify(told(SHA1), now=0)


def test_two_guards_with_other_proxies_believe_each_its_own():
    scheme = certificate()
    first = Guard(scheme, trusted_proxies=[PROXY])
    second = Guard(scheme, trusted_proxies=[ELSEWHERE])

    assert first.check(told(SHA1)).reason == "ok"
    assert second.check(told(SHA1)).reason == "address"
    outer = first.check(told(SHA1))
    assert second.inherited(outer, first) is None


def test_any_of_binds_its_members_and_leaves_others_alone():
    secret = SharedSecretScheme([SECRET], header="X-Key")
    guard = Guard(AnyOf(secret, certificate()), trusted_proxies=[PROXY])

    assert guard.scheme.schemes[0] is secret
    assert guard.check(told(SHA1)).scheme == "client-certificate"
    by_secret = PlainRequest(fields=[("X-Key", SECRET.encode())], peer=ELSEWHERE)
    assert guard.check(by_secret).scheme == "shared-secret"
    assert not guard.check(told(SHA1, peer=ELSEWHERE)).allowed
    assert behind(secret, None) is secret


# A certificate that all customers of a CDN share


@pytest.mark.parametrize("fingerprints", [(), (SHA1,)])
@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (b"shop.example", "ok"),
        (b"SHOP.example:443", "ok"),
        (b"[2001:db8::1]:8443", "ok"),
        (b"shop.example.evil.example", "claims"),
        (b"evil.example", "claims"),
        (b"shop.example:x", "claims"),
        (b"", "claims"),
        (None, "claims"),
    ],
)
def test_the_host_must_be_ours_where_hosts_are_named(fingerprints, host, reason):
    scheme = certificate(fingerprints, hosts=["Shop.Example", "[2001:db8::1]"])
    guard = Guard(scheme, trusted_proxies=[PROXY])

    assert guard.check(told(SHA1, host=host)).reason == reason


def test_any_verified_certificate_alone_is_an_error():
    with pytest.raises(ConfigurationError, match="neither fingerprints nor hosts"):
        certificate(())
    with pytest.raises(ConfigurationError, match="there is no fingerprint to send"):
        certificate((), hosts=["shop.example"]).credential(now=0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fingerprints": ["ab"]}, "is no fingerprint"),
        ({"fingerprints": ["zz" * 20]}, "is no fingerprint"),
        ({"fingerprints": [None]}, "is no fingerprint"),
        ({"fingerprints": SHA1}, "fingerprints must be a list"),
        ({"hosts": ["https://shop.example"]}, "is no host"),
        ({"hosts": ["shop.example:443"]}, "is no host"),
        ({"hosts": [b"x"]}, "is no host"),
        ({"hosts": "shop.example"}, "hosts must be a list"),
        ({"header": "X Print"}, "not a header field name"),
        ({"verified_header": "x-print"}, "are both"),
    ],
)
def test_what_cannot_be_used_is_an_error(arguments, said):
    whole = {"fingerprints": [SHA1], "header": HEADER, "verified_header": VERIFIED, **arguments}
    with pytest.raises(ConfigurationError, match=said):
        ClientCertificateScheme(whole.pop("fingerprints"), **whole)


def test_a_fingerprint_may_be_written_as_openssl_prints_it():
    printed = ":".join([SHA256.upper()[at : at + 2] for at in range(0, 64, 2)])

    assert certificate([printed]).fingerprints == (SHA256,)
    assert certificate([printed]).credential(now=0) == {HEADER: SHA256, VERIFIED: "SUCCESS"}
    assert SHA256 in repr(certificate([printed]))


def test_settings_make_it():
    settings = {
        "scheme": "client-certificate",
        "fingerprints": [SHA1],
        "trusted_proxies": [PROXY],
    }
    guard = Guard.from_settings(settings)
    request = PlainRequest(
        fields=[
            ("X-SSL-Client-Fingerprint", SHA1.encode()),
            ("X-SSL-Client-Verify", b"SUCCESS"),
        ],
        peer=PROXY,
    )

    assert guard.check(request).reason == "ok"
    request.peer = ELSEWHERE
    assert guard.check(request).reason == "address"
    with pytest.raises(ConfigurationError, match="trusted_proxies is empty"):
        Guard.from_settings({name: settings[name] for name in ("scheme", "fingerprints")})
    assert Settings.from_mapping(settings).has_secret


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_bytes_raise(one, other):
    guard = Guard(certificate(hosts=["a"]), trusted_proxies=[PROXY])
    request = PlainRequest(fields=[(HEADER, one), (VERIFIED, other)], peer=PROXY, host=one)

    assert guard.check(request).reason not in {"ok", "error"}
    request.fields[1] = (VERIFIED, b"SUCCESS")
    assert guard.check(request).reason not in {"ok", "error"}


@pytest.mark.parametrize(
    ("request_", "message", "hint"),
    [
        (told(verified=()), "no X-Verified header", None),
        (
            told(SHA1, peer=ELSEWHERE),
            "X-Verified is not from a trusted proxy",
            "only what the proxies in trusted_proxies say of a certificate is believed",
        ),
        (told(SHA1, verified=()), "no X-Verified header", None),
        (told(), "no X-Print header", None),
        (told(SHA1, SHA1), "2 X-Print headers; there must be one", None),
        (told(verified=("NONE",)), "the client sent no certificate", None),
        (
            told(SHA1, verified=("FAILED",)),
            "the proxy has not verified the certificate",
            "X-Verified must be SUCCESS: see the log of the proxy, and the CA that it is given",
        ),
        (told("x"), "X-Print holds no fingerprint in hex", None),
        (
            told("ff" * 20),
            "X-Print names another certificate",
            "compare X-Print with the setting fingerprints",
        ),
        (
            told(SHA256),
            "X-Print names another certificate",
            (
                "compare X-Print with the setting fingerprints; it is of another length than those "
                "here"
            ),
        ),
        (
            told(SHA1, host=b"other.example"),
            "another host was asked for",
            "hosts must name every host that the edge sends; let the proxy hand Host on",
        ),
    ],
)
def test_each_refusal_says_what_is_wrong_and_what_to_do(request_, message, hint):
    proxies = TrustedProxies([PROXY])
    scheme = certificate(hosts=["origin.example"]).behind(proxies)

    with pytest.raises(VerificationError) as caught:
        scheme.verify(request_, now=0)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_its_settings_are_read_as_what_they_are():
    settings = Settings.from_environ(
        {
            "EDGEAUTH_SCHEME": "client-certificate",
            "EDGEAUTH_FINGERPRINTS": f"{SHA1}, {NEXT}",
            "EDGEAUTH_HOSTS": "a.example, b.example",
            "EDGEAUTH_HEADER": "X-A",
            "EDGEAUTH_VERIFIED_HEADER": "X-B",
        }
    )
    assert settings.schemes[0].options == {
        "fingerprints": (SHA1, NEXT),
        "header": "X-A",
        "verified_header": "X-B",
        "hosts": ("a.example", "b.example"),
    }
    defaults = {one.name: one.default for one in ClientCertificateScheme.OPTIONS if one.doc}
    assert defaults == {
        "fingerprints": (),
        "header": "X-SSL-Client-Fingerprint",
        "verified_header": "X-SSL-Client-Verify",
        "hosts": (),
    }
    for name in ("header", "verified_header"):
        with pytest.raises(ConfigurationError, match="is ''; write a text"):
            Settings.from_mapping({"scheme": "client-certificate", name: ""})

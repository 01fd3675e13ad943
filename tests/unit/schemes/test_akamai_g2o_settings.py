"""Akamai's G2O in settings, and as what signs."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.rfc9421 import published_key

from edgeauth import ConfigurationError, Guard, Key, SchemeSettings, Settings
from edgeauth.clients.signer import Signer
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.sent import SentRequest

KIND = "akamai-g2o"
GOOD = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"
NOW = 1_760_000_000
DATA, SIGN = "X-Akamai-G2O-Auth-Data", "X-Akamai-G2O-Auth-Sign"
REQUEST = Outgoing(
    "GET", "shop.example", "/a%20b?q=1?r", [("X-Note", "a"), ("x-note", b"b")], b"", "2001:db8::7"
)


def received(fields, outgoing=REQUEST):
    return PlainRequest(
        method=outgoing.method,
        target=outgoing.target.encode(),
        host=outgoing.authority.encode(),
        fields=[(name, value.encode()) for name, value in fields.items()],
    )


def from_environ(**more):
    environ = {"EDGEAUTH_SCHEME": KIND, "EDGEAUTH_SECRET": GOOD}
    environ |= {f"EDGEAUTH_{name.upper()}": value for name, value in more.items()}
    return Guard.from_settings(Settings.from_environ(environ)).scheme


def test_without_more_settings_it_is_what_the_property_does_by_default():
    scheme = from_environ()
    assert isinstance(scheme, AkamaiG2OScheme)
    assert (scheme.versions, scheme.max_age, scheme.max_future) == ((5,), 30, 30)
    assert scheme.headers == (DATA, SIGN)
    assert scheme.sign_string is None


def test_each_setting_is_read_from_variables_and_from_a_file(tmp_path):
    scheme = from_environ(
        versions="4,5",
        max_age="60",
        max_future="5",
        data_header="X-D",
        sign_header="X-S",
        sign_string="AK_METHOD, AK_URL",
    )
    assert (scheme.versions, scheme.max_age, scheme.max_future) == ((4, 5), 60, 5)
    assert scheme.headers == ("X-D", "X-S")
    assert scheme.sign_string == ("AK_METHOD", "AK_URL")

    file = tmp_path / "edgeauth.toml"
    file.write_text(
        f'scheme = "{KIND}"\nsecret = "{GOOD}"\nversions = [3]\nsign_string = ["AK_PATH"]\n',
        "utf-8",
    )
    read = Settings.from_toml(file).build_scheme()
    assert (read.versions, read.sign_string) == ((3,), ("AK_PATH",))


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        ("versions", "6", "versions is .*write a list of some of 1 to 5"),
        ("versions", "5,five", "VERSIONS, item 2, is 'five'"),
        ("sign_string", "AK_METHODE", "sign_string has 'AK_METHODE': write 'AK_METHOD'"),
        ("sign_string", "nonsense", "write AK_METHOD or AK_SCHEME or"),
        ("sign_string", "AK_URL,", "a list of texts that is not empty"),
        ("data_header", "X_D", "is not a header field name"),
        ("sign_header", "X S", "is not a header field name"),
        ("sign_header", "x-akamai-g2o-auth-DATA", "are one field: name two"),
        ("max_age", "-1", "must be 0 seconds or more"),
        ("max_future", "nan", "number of seconds"),
        ("max_age", "soon", "EDGEAUTH_MAX_AGE is 'soon'; write a number of seconds"),
        ("max_future", "soon", "EDGEAUTH_MAX_FUTURE is 'soon'; write a number of seconds"),
        ("secret", "", "EDGEAUTH_SECRET is empty"),
        ("secret", "default", "at least|16 to"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error_at_start(name, written, told):
    with pytest.raises(ConfigurationError, match=told):
        from_environ(**{name: written})


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        *(("versions", value) for value in ((), [], "", 5, None, [True], ["5"], [5.0], [0])),
        *(("sign_string", value) for value in ((), [], "", b"", "AK_URL", [""], [5])),
        *((name, "") for name in ("data_header", "sign_header")),
        *((name, None) for name in ("data_header", "max_age")),
    ],
)
def test_an_argument_that_is_empty_or_of_another_type_is_an_error(name, empty):
    with pytest.raises(ConfigurationError):
        AkamaiG2OScheme([GOOD], **{name: empty})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("versions", (9,), "versions is"),
        ("max_age", -1, "max_age must be 0 seconds or more"),
        ("max_future", -1, "max_future must be 0 seconds or more"),
        ("data_header", "X_D", "is not a header field name"),
        ("sign_header", "X_S", "is not a header field name"),
        ("sign_string", (), "sign_string is empty, so nothing of a request would be signed"),
        ("sign_string", "AK_URL", "sign_string must be a list or a callable, not 'AK_URL'"),
    ],
)
def test_settings_and_the_scheme_itself_refuse_alike(name, value, told):
    with pytest.raises(ConfigurationError, match=told):
        SchemeSettings(KIND, given={name: value})
    with pytest.raises(ConfigurationError, match=told):
        AkamaiG2OScheme([GOOD], **{name: value})


def test_each_option_has_a_word_of_what_it_means():
    assert all(option.doc for option in AkamaiG2OScheme.OPTIONS)


@pytest.mark.parametrize("name", ["versions", "sign_string", "data_header", "sign_header"])
def test_an_empty_setting_of_a_file_is_an_error(name):
    for empty in ("", [], None):
        with pytest.raises(ConfigurationError):
            Guard.from_settings(
                Settings.from_mapping({"scheme": KIND, "secret": GOOD, name: empty})
            )


def test_a_secret_that_every_request_shows_is_refused_and_not_repeated():
    shown = "this-is-key-id-and-secret"
    with pytest.raises(ConfigurationError, match="secret of key 2 of 2 is its own id") as caught:
        AkamaiG2OScheme([Key("key-1", GOOD), Key(shown, shown)])
    assert shown not in str(caught.value)


def test_no_key_and_a_public_key_are_refused():
    with pytest.raises(ConfigurationError, match="no key"):
        AkamaiG2OScheme([])
    with pytest.raises(ConfigurationError, match="is a public key, and the scheme 'akamai-g2o'"):
        AkamaiG2OScheme([PublicKey("edge-2", published_key("ed25519", "pem"), "ed25519")])


# --- signing


@pytest.mark.parametrize("versions", [(1,), (2,), (3,), (4,), (5,), (3, 5, 4)])
@pytest.mark.parametrize("string", [None, ("AK_METHOD", "AK_HOSTHEADER", "AK_URL")])
def test_what_it_signs_it_accepts(versions, string):
    scheme = AkamaiG2OScheme(
        [Key("old", "x" * 32), Key("new", GOOD)], versions=versions, sign_string=string
    )
    fields = scheme.credential(now=NOW + 0.9, request=REQUEST)

    identity = scheme.verify(received(fields), now=NOW)
    assert identity.key_id == "new"
    assert identity.timestamp == NOW
    assert identity.claims == {"edge_address": "127.0.0.1", "client_address": "2001:db8::7"}
    assert fields[DATA].startswith(f"{max(versions)}, ")
    assert scheme.credential(now=NOW, request=REQUEST)[DATA] != fields[DATA]


def test_the_key_that_is_valid_then_signs_and_the_unique_id_has_two_long_numbers(monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda limit: limit - 1)
    keys = [Key("old", "x" * 32, not_after=NOW + 10), Key("new", GOOD, not_before=NOW + 20)]
    fields = AkamaiG2OScheme(keys).credential(now=NOW, request=REQUEST)
    assert fields[DATA].endswith(f", {NOW}, 999999999.999999999, old")


def test_without_a_client_it_is_this_machine():
    scheme = AkamaiG2OScheme([GOOD])
    fields = scheme.credential(now=NOW, request=REQUEST._replace(client=None))
    assert fields[DATA].startswith(f"5, 127.0.0.1, 127.0.0.1, {NOW}, ")


def test_what_cannot_be_signed_is_told():
    scheme = AkamaiG2OScheme([GOOD], sign_string=["AK_METHOD", "AK_URL"])
    with pytest.raises(
        ConfigurationError, match=r"akamai-g2o signs one .*: its URL must be known$"
    ):
        scheme.credential(now=NOW)
    with pytest.raises(CannotSign, match="the target is no path"):
        scheme.credential(now=NOW, request=REQUEST._replace(target="*"))
    with pytest.raises(CannotSign, match="none that the edge forwards"):
        scheme.credential(now=NOW, request=REQUEST._replace(method="BREW"))


def test_a_client_signs_with_the_settings_of_the_gate():
    signer = Signer(Key("edge-1", GOOD), scheme=KIND, versions=(4,))
    assert signer.headers == (DATA, SIGN)
    fields = signer.fields(REQUEST)
    assert fields[DATA].endswith(", edge-1")
    assert fields[DATA].startswith("4, ")


def test_a_callable_sees_a_request_that_is_to_be_sent_as_one_that_came():
    seen = []

    def parts(request):
        seen.append(
            (
                (request.method, request.path, request.query, request.host, request.scheme),
                (tuple(request.header("X-Note")), tuple(request.header("host"))),
                (request.header("x-absent"), request.fields()),
                (request.fields_beginning(b"x-n"), request.fields_beginning(b"x-o")),
                (request.mount, request.mount_is_configured, request.handshake),
                (request.peer, request.unix, request.compares_body),
            )
        )
        return request.target

    scheme = AkamaiG2OScheme([GOOD], sign_string=parts)
    fields = scheme.credential(now=NOW, request=REQUEST)

    assert scheme.verify(received(fields), now=NOW)
    assert seen[0] == (
        ("GET", "/a b", b"q=1?r", b"shop.example", "https"),
        ((b"a", b"b"), (b"shop.example",)),
        ([], [(b"x-note", b"a"), (b"x-note", b"b")]),
        ([(b"x-note", b"a"), (b"x-note", b"b")], []),
        ("", False, False),
        (None, False, True),
    )
    assert SentRequest(REQUEST, "http").scheme == "http"

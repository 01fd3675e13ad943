"""The kinds of scheme: ours, and those that other packages bring by an entry point.

The packages are real ones, with their metadata, in a folder on the path.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools

import pytest
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET

import edgeauth
from edgeauth import (
    AnyOf,
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Key,
    KeyRing,
    Settings,
    SharedSecretScheme,
    asgi,
    kinds,
    scheme_class,
    wsgi,
)
from edgeauth.clients.signer import Signer
from edgeauth.ops.shown import shown_settings
from edgeauth.schemes.registry import built_in_kinds

NOW = 1_700_000_000
NAMES = map("package_{}".format, itertools.count())

GOOD = """
from hmac import compare_digest
from edgeauth import BadSignature, EdgeIdentity, MissingHeader, Option

def loud(label, value):
    return str(value).upper()

class Toy:
    kind = {kind!r}
    OPTIONS = (Option("word", loud, "OPEN", "what is said"), Option("token", loud, None, "", True))
    def __init__(self, keys, word, token):
        self.keys, self.word, self.token = keys, word, token
        self.headers = ("X-Toy",)
    @classmethod
    def from_options(cls, keys, options):
        return cls(keys, **options)
    def _proof(self, key):
        return key.mac(self.word.encode()).hex()
    def verify(self, request, *, now):
        for value in request.header("X-Toy"):
            for key in self.keys:
                if compare_digest(value, self._proof(key).encode()):
                    return EdgeIdentity(None, None, key.id, scheme=self.kind)
            raise BadSignature("no key made this")
        raise MissingHeader("no X-Toy header")
    def credential(self, *, now, **how):
        return {{"X-Toy": self._proof(self.keys.signing_key(now))}}
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package with an entry point on the path; it gives back the name of its module."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(kind, code=GOOD, value="Toy"):
        name = next(NAMES)
        (tmp_path / f"{name}.py").write_text(code.format(kind=kind))
        about = tmp_path / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[edgeauth.schemes]\n{kind} = {name}:{value}\n")
        return name

    return installed


def test_ours_are_named_first_and_found_by_name():
    assert kinds()[:2] == ("edge-auth", "shared-secret")
    assert [scheme_class(kind) for kind in kinds()[:2]] == [EdgeAuthScheme, SharedSecretScheme]


@pytest.mark.parametrize("kind", ["edge-auth", "shared-secret"])
def test_the_defaults_of_the_options_are_those_of_the_arguments(kind):
    arguments = inspect.signature(scheme_class(kind)).parameters
    options = {option.name: option.default for option in scheme_class(kind).OPTIONS}
    assert options == {
        name: argument.default
        for name, argument in arguments.items()
        if argument.kind is argument.KEYWORD_ONLY
    }


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("edge-aut", "scheme is 'edge-aut'; write 'edge-auth'$"),
        ("shared-key", "scheme is 'shared-key'; write 'azure-shared-key'$"),
        ("hmac", "scheme is 'hmac'; write 'edge-auth' or 'shared-secret'"),
        ("any-of", "write each as a table"),
        ("", "scheme is ''; write 'edge-auth' or"),
        (None, "scheme is None; write 'edge-auth' or"),
        (["edge-auth"], r"scheme is \['edge-auth'\]; write 'edge-auth'"),
    ],
)
def test_an_unknown_kind_is_refused_with_the_near_one(kind, why):
    with pytest.raises(ConfigurationError, match=why):
        scheme_class(kind)
    with pytest.raises(ConfigurationError, match=why):
        Settings.from_mapping({"scheme": kind, "secret": SECRET})


def test_a_kind_of_another_package_is_imported_when_it_is_first_used(install):
    install("toy-lazy", "raise SystemError('imported')")
    assert "toy-lazy" in kinds()
    with pytest.raises(ConfigurationError, match="cannot be loaded: SystemError: imported"):
        scheme_class("toy-lazy")


def test_the_name_of_a_kind_may_have_thirty_two_letters(install):
    kind = "t" * 32
    install(kind)
    assert scheme_class(kind).kind == kind


def test_a_kind_of_another_package_is_set_like_ours(install, tmp_path):
    install("toy")
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'scheme = "toy"\nsecret = "{SECRET}"\nword = "sesame"\n')
    settings = Settings.load(file, {"EDGEAUTH_TOKEN": "quiet", "EDGEAUTH_MAX_AGE": ""})
    assert settings.schemes[0].options == {"word": "SESAME", "token": "QUIET"}
    assert "QUIET" not in repr(settings)
    assert {one.name for one in shown_settings(settings) if one.option.secret} >= {
        "secret",
        "token",
    }
    assert settings.build_scheme().word == "SESAME"
    assert Settings(scheme="toy", secret=SECRET).schemes[0].options["word"] == "OPEN"
    with pytest.raises(ConfigurationError, match="EDGEAUTH_MAX_AGE is set, and the scheme 'toy'"):
        Settings.load(file, {"EDGEAUTH_MAX_AGE": "9"})
    with pytest.raises(ConfigurationError, match="word is set, and the scheme 'edge-auth' has no"):
        Settings(word="sesame")


def test_a_kind_of_another_package_is_asked_by_guard_adapters_and_clients(install):
    install("toy-asked")
    settings = Settings(scheme="toy-asked", secret=SECRET)
    guard = Guard.from_settings(settings)
    assert guard.stripped_headers == ("X-Toy",)
    good, bad = Signer.from_settings(settings).fields(), {"X-Toy": "0" * 64}
    for fields, allowed in ((good, True), (bad, False), ({}, False)):
        verdict = guard.check(
            PlainRequest(fields=[(name, value.encode()) for name, value in fields.items()])
        )
        assert verdict.allowed is allowed
        assert status_by_asgi(guard, fields) == status_by_wsgi(guard, fields)
        assert status_by_asgi(guard, fields) == (200 if allowed else 403)
    assert guard.check(PlainRequest(fields=[("X-Toy", good["X-Toy"].encode())])).identity == (
        edgeauth.EdgeIdentity(None, None, "default", scheme="toy-asked")
    )


def status_by_asgi(guard, fields):
    sent = []

    async def app(scope, _receive, send):
        assert b"x-toy" not in dict(scope["headers"])
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    headers = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(asgi.EdgeAuthMiddleware(app, guard)(scope, receive, send))
    return sent[0]["status"]


def status_by_wsgi(guard, fields):
    statuses = []

    def app(environ, start_response):
        assert "HTTP_X_TOY" not in environ
        start_response("200 OK", [])
        return []

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "a", "SERVER_PORT": "80"}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": one for name, one in fields.items()}
    gate = wsgi.EdgeAuthMiddleware(app, guard)
    list(gate(environ, lambda status, _headers: statuses.append(int(status[:3]))))
    return statuses[0]


def test_it_may_be_one_of_several(install):
    install("toy-beside")
    settings = Settings.from_mapping(
        {"schemes": [{"secret": OLDER_SECRET}, {"scheme": "toy-beside", "secret": SECRET}]}
    )
    scheme = settings.build_scheme()
    assert isinstance(scheme, AnyOf)
    fields = scheme.schemes[1].credential(now=NOW)
    request = PlainRequest(fields=[("X-Toy", fields["X-Toy"].encode())])
    assert scheme.verify(request, now=NOW).scheme == "toy-beside"


def test_no_package_takes_the_place_of_one_of_ours(install):
    for kind in ("edge-auth", "any-of"):
        install(kind, "raise SystemError")
    assert scheme_class("edge-auth") is EdgeAuthScheme
    assert kinds().count("edge-auth") == 1
    assert "any-of" not in kinds()


def test_two_packages_with_one_kind_are_refused(install):
    names = sorted([install("toy-twice"), install("toy-twice")])
    with pytest.raises(ConfigurationError, match=f"two packages, {names[0]}:Toy and {names[1]}:"):
        scheme_class("toy-twice")


def test_a_package_that_is_found_twice_is_one(install, tmp_path, monkeypatch):
    name = install("toy-again")
    again = tmp_path / "again" / f"{name}-1.0.dist-info"
    again.mkdir(parents=True)
    for file in (tmp_path / again.name).iterdir():
        (again / file.name).write_bytes(file.read_bytes())
    (again / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path / "again")
    assert scheme_class("toy-again").__name__ == "Toy"


@pytest.mark.parametrize(
    ("kind", "code", "why"),
    [
        ("Toy", GOOD, "no usable name"),
        ("t" * 33, GOOD, "no usable name"),
        ("toy-absent", "", "cannot be loaded: AttributeError"),
        ("toy-nameless", "class Toy: pass", "its kind must be 'toy-nameless'"),
        ("toy-other", GOOD.replace("{kind!r}", "'x'"), "its kind must be 'toy-other'"),
        ("toy-bare", "class Toy:\n    kind = {kind!r}\n", "has no from_options"),
        (
            "toy-poor",
            "class Toy:\n    kind = {kind!r}\n    from_options = print\n",
            "its OPTIONS must be a tuple of edgeauth.Option",
        ),
        (
            "toy-loose",
            "class Toy:\n    kind = {kind!r}\n    from_options = print\n    OPTIONS = ('a',)\n",
            "its OPTIONS must be a tuple of edgeauth.Option",
        ),
    ],
)
def test_a_kind_that_settings_could_not_use_is_refused_and_named(install, kind, code, why):
    name = install(kind, code)
    with pytest.raises(ConfigurationError, match=why) as caught:
        scheme_class(kind)
    assert f"the scheme {kind!r} ({name}:Toy)" in str(caught.value)


def test_a_kind_that_does_not_ask_for_public_keys_is_given_none(install):
    install("toy-public")
    public = "ed25519:gwQo5YikKUwUGJMncUcIMRr6fvkuYqdUa3kTJVqaHs0="
    with pytest.raises(ConfigurationError, match="the scheme 'toy-public' compares with a secret"):
        Settings(scheme="toy-public", secret=public).build_scheme()


@pytest.mark.parametrize("option", ["secret", "scheme", "word"])
def test_an_option_that_could_not_be_told_from_another_setting_is_refused(install, option):
    kind = f"toy-{option}"
    install(kind, GOOD.replace('Option("token"', f'Option("{option}"'))
    with pytest.raises(ConfigurationError, match=f"the scheme '{kind}' cannot be set: its OPTIONS"):
        Settings.from_mapping({"scheme": kind})


def test_a_kind_that_cannot_sign_has_no_client(install):
    install("toy-silent", GOOD.replace("def credential", "def other"))
    with pytest.raises(ConfigurationError, match="no client can sign for the scheme 'toy-silent'"):
        Signer(SECRET, scheme="toy-silent")


def test_an_option_of_the_guard_wins_over_none(install):
    install("toy-mode", GOOD.replace('Option("token"', 'Option("mode"').replace("token", "mode"))
    with pytest.raises(ConfigurationError, match="has an option mode, which is a setting of"):
        Settings.from_mapping({"scheme": "toy-mode"})
    table = {"scheme": "toy-mode", "secret": SECRET, "mode": "loud"}
    assert Settings.from_mapping({"schemes": [table]}).build_scheme(KeyRing([Key("a", SECRET)]))


@pytest.mark.parametrize("kind", built_in_kinds())
def test_each_of_ours_is_found_by_the_name_that_it_has(kind):
    assert scheme_class(kind).kind == kind


@pytest.mark.parametrize("kind", built_in_kinds())
def test_every_option_says_what_it_is(kind):
    assert all(
        option.doc.isprintable() and len(option.doc) > 5 for option in scheme_class(kind).OPTIONS
    )


@pytest.mark.parametrize("name", ["max_age", "max_future"])
@pytest.mark.parametrize("kind", ["edge-auth", "message-signatures"])
def test_an_error_says_what_a_time_is_counted_in(kind, name):
    with pytest.raises(ConfigurationError, match=f"{name} is 'soon'; write a number of seconds"):
        Settings.from_mapping({"scheme": kind, name: "soon"})

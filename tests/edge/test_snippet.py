"""``edgeauth snippet`` prints the tested files, under other names."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from support import edge_tools
from support.snippets import snippet
from support.vcl import VCL, lint, service

from edgeauth.errors import ConfigurationError
from edgeauth.ops.cli import main
from edgeauth.ops.cli.snippet import files_of, renamed, with_fields
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import configured
from edgeauth.schemes.registry import kinds
from edgeauth.settings import Settings

FILES = sorted({file for kind in kinds() for file in files_of(kind).values()})


def refusal(*arguments: str, **settings: str) -> str:
    done = CliRunner().invoke(main, ["snippet", *arguments], env=settings)
    assert done.exit_code == 2, done.output
    return done.output


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("edge-auth", name) for name in files_of("edge-auth")),
        *(("message-signatures", name) for name in tools_of("message-signatures").snippets),
    ],
)
def test_by_default_it_prints_the_file_as_it_is(kind, name):
    file = edge_tools.INTEGRATIONS / files_of(kind)[name]
    assert snippet(name, EDGEAUTH_SCHEME=kind) == file.read_text("utf-8")


def test_the_scheme_of_the_settings_chooses_the_file():
    text = snippet("vcl", EDGEAUTH_SCHEME="shared-secret")
    assert text == (VCL / "shared_secret.vcl").read_text("utf-8")


@pytest.mark.parametrize("file", FILES)
def test_every_file_declares_each_name_that_has_an_option_and_no_old_name_is_left(file):
    text = (edge_tools.INTEGRATIONS / file).read_text("utf-8")
    new = {
        "header": "X-Origin-Key",
        "dictionary": "keys",
        "socket": "/srv/gate.sock",
        "tag": '"cdn"',
        "scheme": '"http"',
        "components": '"@method", "x-a"',
        "data": '"X-Data"',
        "sign": '"X-Sign"',
        "version": "g2o_version = 4",
        "string": 'g2o_string  = ["AK_URL"]',
    }
    declared = dict(re.findall(r"edgeauth:parameter ([a-z]+) = (.+)", text))
    printed = renamed(text, {name: new[name] for name in declared}, file)
    header_or_dictionary = r"(?<![a-z])(?<!\w-)edge[-_]auth(?![\w-])"
    old = re.compile(rf"{header_or_dictionary}|/run/edgeauth/edgeauth\.sock", re.IGNORECASE)
    assert not old.findall(printed)
    for name in declared.keys() - {"header", "socket"}:
        assert declared[name] not in printed
    assert printed.count("\n") == text.count("\n")


def test_the_header_of_the_settings_is_the_one_that_is_printed():
    assert "unset req.http.X-Origin-Key;" in snippet("vcl", EDGEAUTH_HEADER="X-Origin-Key")


@pytest.mark.parametrize("name", ["cloudflare", "lambda-edge", "nginx-edge-js"])
def test_an_edge_signs_as_the_settings_say(name):
    settings = {
        "EDGEAUTH_TAG": "cdn",
        "EDGEAUTH_URL_SCHEME": "http",
        "EDGEAUTH_COMPONENTS": "@method, @path, x-a",
    }
    text = snippet(name, EDGEAUTH_SCHEME="message-signatures", **settings)
    assert 'const SCHEME = "http";' in text
    assert 'const TAG = "cdn";' in text
    assert 'const COMPONENTS = ["@method", "@path", "x-a"];' in text


@pytest.mark.parametrize("name", ["compute-js", "compute-rust", "vcl"])
def test_fastlys_edges_sign_with_the_tag_of_the_settings(name):
    settings = {"EDGEAUTH_TAG": "cdn", "EDGEAUTH_COMPONENTS": "@method, @path"}
    text = snippet(name, EDGEAUTH_SCHEME="message-signatures", **settings)
    assert '"cdn"' in text
    assert '"edge"' not in text
    assert ('"@method", "@path"]' in text) is (name != "vcl")


def test_vcl_that_would_sign_less_than_the_origin_requires_is_not_printed():
    settings = {"EDGEAUTH_COMPONENTS": "@method, content-digest"}
    text = refusal("vcl", EDGEAUTH_SCHEME="message-signatures", **settings)
    assert 'cannot do with components "content-digest"' in text
    text = refusal("vcl", EDGEAUTH_SCHEME="message-signatures", EDGEAUTH_URL_SCHEME="http")
    assert 'cannot do with scheme "http"' in text


def test_a_component_that_the_edges_do_not_know_is_refused():
    settings = {"EDGEAUTH_COMPONENTS": '"signature-agent";key="a"'}
    text = refusal("cloudflare", EDGEAUTH_SCHEME="message-signatures", **settings)
    assert "names of fields and @names, without parameters" in text


@pytest.mark.parametrize("scheme", ["edge-auth", "shared-secret"])
def test_vcl_that_is_printed_under_other_names_passes_the_linter(scheme, tmp_path):
    options = ["--header", "X-Origin-Key", "--dictionary", "keys"]
    printed = snippet("vcl", *options, EDGEAUTH_SCHEME=scheme)
    (tmp_path / "edgeauth.vcl").write_text(printed)
    text = service((VCL / "main.vcl").read_text(), secret="x" * 16, dictionary="keys")
    assert lint(edge_tools.falco_linter(), text, tmp_path, tmp_path) == []


def test_one_name_is_not_taken_for_the_other():
    text = "# edgeauth:parameter header = One\n# edgeauth:parameter dictionary = two\nOne two one\n"
    printed = renamed(text, {"header": "Two", "dictionary": "one"}, "file")
    assert printed.splitlines()[-1] == "Two one two"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param({"socket": "/run/a"}, "has no socket to set", id="not declared"),
        pytest.param({"header": "X"}, "does not use it", id="declared, not used"),
        pytest.param(
            {"dictionary": 'a"; b'}, "letters, digits and underscores", id="needs quoting"
        ),
        pytest.param({"dictionary": "a\n"}, "letters, digits and underscores", id="a newline"),
    ],
)
def test_a_name_that_cannot_be_set_is_refused(names, message):
    text = "# edgeauth:parameter header = One\n# edgeauth:parameter dictionary = two\ntwo\n"
    with pytest.raises(ConfigurationError, match=message):
        renamed(text, names, "file")


def test_an_option_that_the_file_does_not_know_is_refused():
    assert "has no socket to set" in refusal("vcl", "--socket", "/run/a")


def test_an_edge_that_can_sign_has_no_shared_secret():
    assert "set scheme to edge-auth" in refusal("compute-js", EDGEAUTH_SCHEME="shared-secret")


def test_a_file_that_is_missing_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("edgeauth.ops.cli.snippet._folders", lambda: iter([tmp_path]))
    assert "is not in this installation" in refusal("vcl")


SIGNED = {"EDGEAUTH_SCHEME": "message-signatures"}
PROXIES = ["nginx", "caddy", "envoy", "haproxy", "haproxy-lua", "traefik"]


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_has_a_line_for_each_field_of_a_scheme_with_several(name):
    text = snippet(name, **SIGNED, EDGEAUTH_COMPONENTS="@method,host,x-note,content-length")
    plain = snippet(name)
    assert not re.search(r"edge-auth(?!-)", text, re.IGNORECASE)
    for field in ("signature-input", "signature"):
        whole = rf"(?i)(?<!\w)(?<!\w-)(?:http_)?{field.replace('-', '[-_]')}(?![\w-])"
        one = r"(?i)(?<!\w)(?<!\w-)(?:http_)?edge[-_]auth(?![\w-])"
        body = re.sub(r"(?m)^.*edgeauth:(parameter|question).*$", "", plain)
        assert len(re.findall(whole, text)) == len(re.findall(one, body))
    # What is signed beside the credential is handed on to the service, and stays for the app.
    others = re.findall(r"(?i)^.*x[-_]note.*$", text, re.MULTILINE)
    assert len(others) == {"nginx": 1, "envoy": 1, "haproxy-lua": 1, "traefik": 1}.get(name, 0)
    lengths = [re.findall(r"(?i)content[-_]length", one) for one in (text, plain)]
    assert lengths[0] == lengths[1]


def test_a_proxy_has_a_line_for_the_fields_of_each_of_several_schemes(tmp_path):
    config = tmp_path / "edgeauth.toml"
    config.write_text('[[schemes]]\n[[schemes]]\nscheme = "message-signatures"\n')
    text = snippet("nginx", "--config", str(config), "--socket", "/srv/gate.sock")
    handed_on = re.findall(r"proxy_set_header (\S+) \$http_", text)
    fields = ["Edge-Auth", "Signature-Input", "Signature", "Edge-Auth-Pass"]
    assert [name for name in handed_on if name in fields] == fields
    assert re.findall(r'proxy_set_header (\S+) "";', text)[:4] == fields
    assert "server unix:/srv/gate.sock;" in text


def test_a_field_that_would_need_quotes_is_refused():
    why = refusal("nginx", **SIGNED, EDGEAUTH_COMPONENTS="@method,x!note")
    assert "the field 'x!note' has to be written by hand" in why


def test_an_edge_file_of_another_scheme_is_no_file_of_this_one():
    assert "there is no cloudflare for the scheme edge-auth" in refusal("cloudflare")


AZURE = {"EDGEAUTH_SCHEME": "azure-shared-key", "EDGEAUTH_ACCOUNT": "edgeacct"}


@pytest.mark.parametrize(
    ("name", "there", "gone"),
    [
        ("nginx", "proxy_pass_request_headers on;\n", "proxy_pass_request_headers off"),
        ("envoy", "- prefix: x-ms-\n", "edgeauth:beginning"),
        ("haproxy-lua", '    "x-ms-",\n', "edgeauth:beginning"),
        ("traefik", "All fields are handed on", "authRequestHeaders"),
        ("caddy", "request_header -x-ms-date\n", "Edge-Auth\n"),
    ],
)
def test_all_fields_that_begin_as_signed_ones_do_are_handed_on(name, there, gone):
    text = snippet(name, **AZURE)
    assert there in text
    assert gone not in text


def test_a_file_that_does_not_say_how_is_refused():
    text = "# edgeauth:parameter header = Edge-Auth\n# edgeauth:question = ask\nask Edge-Auth\n"
    [scheme] = configured(Settings.load(environ=AZURE), without_secret=True)
    with pytest.raises(ConfigurationError, match="x-ms-"):
        with_fields(text, [scheme], "proxy.conf")

"""What is signed of a request: the bytes as received, in the words of RFC 9421."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest

from edgeauth import MalformedHeader
from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.base import Base


def value_of(component, request=None, scheme="https", **members):
    """What stands behind the name of *component* in what is signed."""
    given = request or PlainRequest(**{"target": b"/", "host": b"shop.example", **members})
    base = Base(required([component])).of(given, b"()", scheme)
    name = component if component.startswith('"') else f'"{component}"'
    line, last = base.split(b"\n")
    assert last == b'"@signature-params": ()'
    assert line.startswith(name.encode() + b": ")
    return line.removeprefix(name.encode() + b": ")


def fields(*lines, name="X-Note"):
    return {"fields": [(name, line) for line in lines]}


@pytest.mark.parametrize(
    ("target", "path", "query", "uri"),
    [
        (b"/", b"/", b"?", b"https://shop.example/"),
        (b"/?", b"/", b"?", b"https://shop.example/?"),
        (
            b"/a%2Fb/%2f/../c//",
            b"/a%2Fb/%2f/../c//",
            b"?",
            b"https://shop.example/a%2Fb/%2f/../c//",
        ),
        (b"/a?b?c=%3f&d", b"/a", b"?b?c=%3f&d", b"https://shop.example/a?b?c=%3f&d"),
        (
            b"//other.example/a",
            b"//other.example/a",
            b"?",
            b"https://shop.example//other.example/a",
        ),
        (b"https://shop.example/a?b", b"/a", b"?b", b"https://shop.example/a?b"),
        (b"HTTPS://SHOP.example:443", b"/", b"?", b"https://shop.example/"),
        (b"https://shop.example?b", b"/", b"?b", b"https://shop.example/?b"),
    ],
)
def test_the_target_is_signed_as_received(target, path, query, uri):
    assert value_of("@path", target=target) == path
    assert value_of("@query", target=target) == query
    assert value_of("@target-uri", target=target) == uri
    assert value_of("@request-target", target=target) == target


def test_the_asterisk_form_is_of_options_alone():
    star = {"target": b"*", "method": "OPTIONS"}

    assert value_of("@path", **star) == b"/"
    assert value_of("@query", **star) == b"?"
    assert value_of("@request-target", **star) == b"*"
    assert value_of("@target-uri", **star) == b"https://shop.example"
    with pytest.raises(MalformedHeader):
        value_of("@path", target=b"*", method="GET")


@pytest.mark.parametrize(
    "target",
    [
        *(b"", b"a", b"?a", b"shop.example:443", b"/a#b", b"/a?b#", b"/a\nb", b"/\xe9", b"/\0"),
        *(b"http://shop.example/", b"https:///", b"file:/a", b"/a\x7f", b"/a\r"),
    ],
)
@pytest.mark.parametrize("name", ["@path", "@target-uri", "@request-target"])
def test_a_target_of_no_form_that_can_be_signed_is_refused(name, target):
    with pytest.raises(MalformedHeader):
        value_of(name, target=target)


@pytest.mark.parametrize("target", [b"https://other.example/", b"https://shop.example:8443/"])
def test_a_url_that_contradicts_the_host_is_refused_where_the_host_is_signed(target):
    with pytest.raises(MalformedHeader, match="contradicts"):
        value_of("@target-uri", target=target)
    assert value_of("@path", target=target) == b"/"


def test_a_server_that_does_not_tell_the_target_is_refused_with_a_hint():
    with pytest.raises(MalformedHeader, match="does not tell the target") as caught:
        value_of("@query", target=None)
    assert "RAW_URI" in caught.value.hint


def test_what_is_not_signed_need_not_be_there():
    request = PlainRequest(target=None, host=None)
    assert value_of("@method", request) == b"GET"
    assert value_of("@scheme", request) == b"https"
    # A line break is refused where it would be signed.
    for target in (b"/a\nb?q", b"https://shop.example/a\nb?q"):
        assert value_of("@query", target=target) == b"?q"


@pytest.mark.parametrize(
    ("host", "scheme", "authority"),
    [
        (b"Shop.EXAMPLE", "https", b"shop.example"),
        (b"shop.example:443", "https", b"shop.example"),
        (b"shop.example:0443", "https", b"shop.example"),
        (b"shop.example:", "https", b"shop.example"),
        (b"shop.example:80", "https", b"shop.example:80"),
        (b"shop.example:80", "http", b"shop.example"),
        (b"shop.example:443", "http", b"shop.example:443"),
        (b"[::1]", "https", b"[::1]"),
        (b"[::443]:443", "https", b"[::443]"),
        (b"[2001:DB8::1]:8443", "https", b"[2001:db8::1]:8443"),
    ],
)
def test_the_authority_is_in_lower_case_and_without_the_schemes_port(host, scheme, authority):
    assert value_of("@authority", host=host, scheme=scheme) == authority


@pytest.mark.parametrize(
    "members",
    [
        {"host": None},
        {"host": b""},
        {"fields": [("Host", b"shop.example"), ("Host", b"shop.example")]},
        {"host": b"shop\n.example"},
        {"host": "shöp.example".encode()},
    ],
    ids=str,
)
def test_a_host_that_is_not_there_once_is_refused_where_it_is_signed(members):
    for name in ("@authority", "@target-uri"):
        with pytest.raises(MalformedHeader):
            value_of(name, **members)
    assert value_of("@method", **members) == b"GET"


@pytest.mark.parametrize("host", [b"Shop.EXAMPLE", b"shop.example:443"])
def test_the_uri_has_the_host_as_received(host):
    assert value_of("@target-uri", host=host) == b"https://" + host + b"/"


@pytest.mark.parametrize(
    ("members", "method"),
    [
        ({"method": "QUERY"}, b"QUERY"),
        ({"method": "get"}, b"get"),
        # ASGI does not tell the method of a handshake.
        ({"method": "WEBSOCKET", "handshake": True}, b"GET"),
        ({"method": "WEBSOCKET", "handshake": False}, b"WEBSOCKET"),
        ({"method": "WEBSOCKET", "handshake": None}, b"WEBSOCKET"),
        ({"method": "GET", "handshake": True}, b"GET"),
    ],
)
def test_the_method_is_signed_as_received(members, method):
    assert value_of("@method", **members) == method


class NeverEncoded(str):
    """A method whose bytes nobody may make on each request."""

    __slots__ = ()

    def encode(self, *_args, **_options):
        raise AssertionError("encoding the method is a cost of each request")


@pytest.mark.parametrize("name", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_the_usual_methods_are_not_encoded_on_each_request(name):
    assert value_of("@method", method=NeverEncoded(name)) == name.encode()


@pytest.mark.parametrize("method", ["G\nT", "GÉT", "\ud800", "\x7f"])
def test_a_method_that_is_no_ascii_is_refused(method):
    with pytest.raises(MalformedHeader):
        value_of("@method", method=method)


class TestFields:
    @pytest.mark.parametrize(
        ("lines", "value"),
        [
            ([b"one"], b"one"),
            ([b""], b""),
            ([b" \t one \t"], b"one"),
            ([b"one", b" two", b""], b"one, two, "),
            ([b"a\tb"], b"a\tb"),
        ],
    )
    def test_lines_are_trimmed_and_joined(self, lines, value):
        assert value_of("x-note", **fields(*lines)) == value

    @pytest.mark.parametrize(
        "line", [b"caf\xe9", b"a\nb", b"a\r\n b", b"a\0", b'a\n"@path": /', b"\x7f", b"\x0ba\x0c"]
    )
    def test_a_value_that_is_not_printable_is_refused_and_can_be_signed_as_bytes(self, line):
        with pytest.raises(MalformedHeader, match="not printable"):
            value_of("x-note", **fields(line))
        assert value_of('"x-note";bs', **fields(line)).startswith(b":")

    def test_a_line_of_several_keeps_what_is_no_white_space(self):
        with pytest.raises(MalformedHeader, match="not printable"):
            value_of("x-note", **fields(b"one", b"\x0btwo"))

    def test_each_line_is_a_sequence_of_bytes_of_its_own(self):
        assert value_of('"x-note";bs', **fields(b" \t\x0b")) == b":Cw==:"
        lines = fields(b" one, two ", b"three")
        assert value_of('"x-note";bs', **lines) == b":b25lLCB0d28=:, :dGhyZWU=:"

    def test_a_field_that_is_not_there_is_refused(self):
        for component in ("x-note", '"x-note";bs', '"x-note";key="a"', '"priority";sf'):
            with pytest.raises(MalformedHeader, match="not in the request"):
                value_of(component)

    @pytest.mark.parametrize(
        ("name", "line", "value"),
        [
            ("priority", b"u=1 ,\t i", b"u=1, i"),
            ("priority", b"u=01,i=?1", b"u=1, i"),
            ("priority", b'a=(1  "b" );x;  y=1.50, c;d=-0', b'a=(1 "b");x;y=1.5, c;d=0'),
            ("priority", b"a=-0.0, b=-00.50, c=12.000", b"a=0.0, b=-0.5, c=12.0"),
            ("priority", b"a=-12.50, b=-1.0", b"a=-12.5, b=-1.0"),
            ("priority", b"a" * 8192, b"a" * 8192),
            ("priority", b"a=tok/en:*,b=:AAA=:,c=?0", b"a=tok/en:*, b=:AAA=:, c=?0"),
            ("accept-ch", b"a;q=1.0 ,(b c);d", b"a;q=1.0, (b c);d"),
            ("client-cert", b" :AAAA: ", b":AAAA:"),
        ],
    )
    def test_a_structured_field_is_signed_in_its_canonical_form(self, name, line, value):
        assert value_of(f'"{name}";sf', **fields(line, name=name)) == value

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("priority", b""),
            ("priority", b"u=1,"),
            ("priority", b"u=1,u=2"),
            ("priority", b"u=@1"),
            ("priority", b"u=1000000000000000"),
            ("priority", b"u=1.2345"),
            ("priority", b"u=((a))"),
            ("priority", b"u=(a"),
            ("priority", b"u=(a,b)"),
            ("accept-ch", b"a b"),
            ("client-cert", b"a, b"),
            ("client-cert", b":AAA:"),
            ("priority", b"a" * 8193),
            ("client-cert", b"\x0b1"),
        ],
    )
    def test_a_structured_field_that_is_none_is_refused(self, name, line):
        with pytest.raises(MalformedHeader):
            value_of(f'"{name}";sf', **fields(line, name=name))

    @pytest.mark.parametrize(
        ("key", "value"),
        [("a", b"1;x"), ("b", b"?1"), ("c", b"(1 2);y=z"), ("d", b"?1;e")],
    )
    @pytest.mark.parametrize("sf", ["", ";sf"])
    def test_one_member_of_a_dictionary_is_signed(self, key, value, sf):
        lines = fields(b"a=1;x, b", b"c=(1  2);y=z,d;e")
        assert value_of(f'"x-note";key="{key}"{sf}', **lines) == value

    def test_a_member_that_is_not_there_is_refused(self):
        for line in (b"a=1", b"?", b"b=1, b=2"):
            with pytest.raises(MalformedHeader):
                value_of('"x-note";key="b"', **fields(line))

    def test_the_name_of_a_member_may_have_what_needs_an_escape(self):
        with pytest.raises(MalformedHeader, match="not in its field"):
            value_of(r'"x-note";key="\"\\"', **fields(b"a=1"))


class TestQueryParameters:
    @pytest.mark.parametrize(
        ("name", "query", "value"),
        [
            ("q", b"q=1", b"1"),
            ("q", b"a&q&b=2", b""),
            ("q", b"q=a+b%20c", b"a%20b%20c"),
            ("q", b"q=%e2%82%ac~*-._", b"%E2%82%AC%7E*-._"),
            ("q", b"%71=%2F%2f/=&", b"%2F%2F%2F%3D"),
            ("a%20b", b"a+b=1", b"1"),
            (r"\"\\", b'"\\=1', b"1"),
            ("", b"=1&q=2", b"1"),
            ("q", b"q=1?r=2", b"1%3Fr%3D2"),
        ],
    )
    def test_it_is_read_as_a_form_and_written_in_one_way(self, name, query, value):
        component = f'"@query-param";name="{name}"'
        assert value_of(component, target=b"/?" + query) == value

    @pytest.mark.parametrize("query", [b"", b"?", b"?r=1", b"?q=1&q=1", b"?q=%ff", b"?q=1#"])
    def test_one_that_is_not_there_once_is_refused(self, query):
        with pytest.raises(MalformedHeader):
            value_of('"@query-param";name="q"', target=b"/" + query)

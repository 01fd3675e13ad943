"""Raw HTTP/1.1 requests: well-formed ones from a grammar, and what mutations make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.oracle import Rules, Secret, make_pass, make_value
from support.vectors import NOW, PASS_SECRET
from support.vectors import OLDER_VECTOR_SECRET as OLDER_SECRET
from support.vectors import VECTOR_SECRET as SECRET

from differential.rules import PROFILES, judge_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# Of each part of a request: what is usual, and what is not.
METHODS = (
    [b"GET", b"GET", b"GET", b"HEAD", b"POST"],
    [
        *[
            b"PUT",
            b"DELETE",
            b"OPTIONS",
            b"PURGE",
            b"TRACE",
            b"CONNECT",
            b"get",
            b"Get",
            b"WEBSOCKET",
        ],
        *[b"FOO-BAR", b"M" * 40, b"GET,HEAD", b"", b"G\xcaT", b"-"],
    ],
)
PATHS = (
    [b"/healthz", b"/healthz", b"/healthz", b"/", b"/secret", b"/mounted/healthz"],
    [
        *[
            b"/caf%C3%A9/x",
            b"/caf%c3%a9/x",
            b"/caf\xc3\xa9/x",
            b"/caf%E9/x",
            b"/mounted",
            b"/mounted/",
        ],
        *[b"/HEALTHZ", b"/Healthz", b"/healthz.", b"/health", b"/healthz/secret", b"/x/healthz"],
        *[b"*", b"", b"healthz", b"\\healthz", b"//healthz", b"/\xff\xfe", b"/%", b"/%zz", b"/%00"],
        *[b"http://origin.example/healthz", b"HTTP://ORIGIN.EXAMPLE/healthz", b"http:///healthz"],
        *[
            b"https://u:p@elsewhere.example:8/healthz",
            b"//origin.example/healthz",
            b"http://healthz",
        ],
        *[b"origin.example:443", b"/" + b"a" * 300, b"/mountedhealthz", b"/mounted//healthz"],
    ],
)
SUFFIXES = (
    [b"", b"", b"", b"?x=1"],
    [
        *[
            b"?",
            b"?/healthz",
            b"#x",
            b";a",
            b"/",
            b"%2F",
            b"%3Fx",
            b"%20",
            b"?\xff",
            b"?a b",
            b"/..",
        ],
        *[b"/.", b"%0a", b"%00", b"%ff", b"+", b"?%00", b"/%2e%2e", b"//"],
    ],
)
LEADS = [b""], [b"/", b"/.", b"/x/..", b"/%2e", b"//", b"///", b"/mounted", b"/\t", b"%2f"]
VERSIONS = [b"HTTP/1.1"], [b"HTTP/1.0", b"HTTP/1.2", b"http/1.1", b"HTTP/2.0", b"HTTP/1.1 "]
NAMES = (
    [b"Edge-Auth", b"edge-auth", b"EDGE-AUTH", b"eDGE-aUTH"],
    [
        *[b"Edge_Auth", b"EDGE_AUTH", b"edge_auth", b"Edge-Auth ", b" Edge-Auth", b"Edge--Auth"],
        *[b"Edge-Auth\t", b"Edge-Auth\0", b"Edge\xa0Auth", b"Edge.Auth", b"\xefdge-Auth"],
        *[
            b"HTTP_EDGE_AUTH",
            b"HTTP-Edge-Auth",
            b"Edge-Auth\r",
            b"Edge Auth",
            b"\xe2\x84\xaaEdge-Auth",
        ],
    ],
)
SPELLINGS = (
    [(b"0x", "hex"), (b"", "hex"), (b" ", "base64")],
    [(b" 0x", "hex"), (b"", "base64"), (b"  ", "hex"), (b"0X", "hex"), (b"0x", "base64")],
)
COLONS = [b": "], [b":", b":\t", b":  ", b" : ", b":\x0b", b":\xa0", b"::", b": ,"]
HOPS = (
    [b"192.0.2.9", b"203.0.113.7", b"198.51.100.1", b"127.0.0.1", b"2001:db8::1"],
    [
        *[
            b"[2001:db8::1]",
            b"[2001:db8::1]:443",
            b"192.0.2.9:80",
            b"::ffff:192.0.2.9",
            b"192.0.02.9",
        ],
        *[
            b"unknown",
            b"",
            b"3221225993",
            b"0xc0.0.2.9",
            b"192.0.2.9%eth0",
            b"\xff",
            b"[192.0.2.9]",
        ],
        *[b"192.0.2.9:x:y", b"192.0.2.9\t", b"\x0b192.0.2.9", b"192.0.2.9\xa0"],
    ],
)
OTHERS = (
    [b"Accept: */*", b"Cookie: a=b", b"Via: 1.1 x", b"Content-Type: text/plain"],
    [
        *[b"X-Empty:", b"X-High: \xff\xfe", b"X-Tab:\ta\tb", b"Edge-Auth-Extra: 1", b"Edge: 1"],
        *[b"XEdge-Auth: 1", b"Auth: 1", b"X-Original-URL: /healthz", b"X-Rewrite-URL: /healthz"],
        *[
            b"X-HTTP-Method-Override: GET",
            b"X-Forwarded-Prefix: /healthz",
            b"SCRIPT_NAME: /healthz",
        ],
        *[
            b"Script-Name: /x",
            b"SCRIPT_NAME: /mounted",
            b"PATH_INFO: /healthz",
            b"X-Forwarded-Host: x",
        ],
        *[b"Forwarded: for=192.0.2.9", b"X-Real-IP: 192.0.2.9", b"REMOTE_ADDR: 192.0.2.9"],
        *[
            b"REQUEST_METHOD: GET",
            b"X-Original-URI: /healthz",
            b"Proxy: x",
            b"no colon",
            b": no name",
        ],
        *[
            b"X-Big: " + b"x" * 6000,
            b"Connection: Edge-Auth",
            b"Trailer: Edge-Auth",
            b"TE: trailers",
        ],
        *[b"Expect: 100-continue", b"Host: elsewhere.example", b"X-Fold: a\r\n b", b"X-Null: a\0b"],
    ],
)
PLAIN_BODIES = [
    *[((), b"")] * 6,
    ((b"Content-Length: 5",), b"hello"),
    ((b"Content-Length: 0",), b""),
    ((b"Transfer-Encoding: chunked",), b"5\r\nhello\r\n0\r\n\r\n"),
]
ODD_BODIES = [
    ((b"Transfer-Encoding: chunked",), b"5;x=1\r\nhello\r\n0\r\nEdge-Auth: x\r\n\r\n"),
    ((b"Content-Length: 5", b"Transfer-Encoding: chunked"), b"0\r\n\r\n"),
    ((b"Content-Length: 5", b"Content-Length: 6"), b"hello!"),
    ((b"Content-Length: 5, 5",), b"hello"),
    ((b"Content-Length: +5",), b"hello"),
    ((b"Content-Length: -1",), b""),
    ((b"Transfer-Encoding: identity",), b""),
    ((b"Transfer-Encoding: xchunked",), b"0\r\n\r\n"),
    ((b"Transfer-Encoding: chunked, chunked",), b"0\r\n\r\n"),
    ((b"Transfer-Encoding : chunked",), b"0\r\n\r\n"),
    ((b"Transfer_Encoding: chunked",), b"0\r\n\r\n"),
]
BODIES = PLAIN_BODIES, ODD_BODIES
# Bytes that parsers look for, and one of each kind that they must not take.
TELLING = [b"\r\n", b"\n", b"\r", b"\0", b"\t", b" ", b":", b",", b"_", b"-", b"\x0b", b"\x1b"]
TELLING += [
    b"\x7f",
    b"\x80",
    b"\x85",
    b"\xa0",
    b"\xff",
    b"\xc3\xa9",
    b"%",
    b"/",
    b"\r\n ",
    b"\r\n\t",
]


def pick(random: Random, choices: tuple[list[Any], list[Any]], *, odd: float = 0.05) -> Any:
    """What is usual, now and then what is not: of many oddities at once a server sees one."""
    return random.choice(choices[random.random() < odd])


def make_request(random: Random) -> bytes:
    """One request; the same for the same state of *random*."""
    rules = random.choice(PROFILES)
    lines = [
        pick(random, METHODS) + b" " + _target(random) + b" " + pick(random, VERSIONS, odd=0.03),
        b"Host: origin.example",
        judge_line(rules),
        b"Connection: close",
        *_fields(random, rules),
    ]
    more, body = pick(random, BODIES, odd=0.03)
    lines += more
    # The lines that tell the tests how to judge, and end the connection, stay as they are.
    free = [0, *range(4, len(lines))]
    for _ in range(random.choice([0, 0, 0, 0, 1, 1, 2])):
        place = random.choice(free)
        lines[place] = random.choice(MUTATIONS)(random, lines[place])
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _target(random: Random) -> bytes:
    lead, suffix = pick(random, LEADS), pick(random, SUFFIXES, odd=0.1)
    path = lead + pick(random, PATHS, odd=0.25) + suffix
    if random.random() < 0.1 and path:
        place = random.randrange(len(path))
        path = path[:place] + b"%%%02x" % path[place] + path[place + 1 :]
    return path


def _fields(random: Random, rules: Rules) -> list[bytes]:
    fields = [
        pick(random, NAMES, odd=0.15) + pick(random, COLONS) + value
        for value in _credentials(random, rules)
    ]
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        hops = [pick(random, HOPS, odd=0.3) for _ in range(random.randint(1, 3))]
        fields.append(b"X-Forwarded-For: " + random.choice([b", ", b","]).join(hops))
    if rules.pass_secret or random.random() < 0.05:
        fields += [b"Edge-Auth-Pass: " + _pass(random) for _ in range(random.choice([0, 1, 1, 2]))]
    fields += [pick(random, OTHERS, odd=0.2) for _ in range(random.choice([0, 0, 1, 2, 4]))]
    random.shuffle(fields)
    return fields


def _credentials(random: Random, rules: Rules) -> list[bytes]:
    values = [_credential(random, rules) for _ in range(random.choice([0, 1, 1, 1, 1, 1, 2, 3]))]
    if values and random.random() < 0.05:
        # In pieces, which a server may put together again.
        return values[0].split(b",", random.randint(1, 2))
    return values


def _credential(random: Random, rules: Rules) -> bytes:
    secret = random.choice(
        [*rules.secrets, *rules.secrets, Secret("", OLDER_SECRET.encode()), Secret("", b"x" * 20)]
    ).value
    if rules.scheme == "shared-secret" and random.random() < 0.7:
        return secret + random.choice([b"", b"", b"", b"x", b" ", b","])
    age = random.choice([0, 0, 0, 0, 5, 6, 20, 60, 61, -5, -6, 10**6])
    timestamp = b"%d" % (int(rules.now) - age)
    pop = random.choice(
        [b",LHR", b",LHR", b",LHR", b",XXX", b",AMS", b"", b",", b", LHR", b",\xff"]
    )
    prefix, encoding = pick(random, SPELLINGS)
    value = make_value(secret, timestamp + pop, prefix=prefix, encoding=encoding)
    if random.random() < 0.1:
        value = random.choice([b"", b",", value.upper(), value[:-1], value + b" ", b"1" * 7000])
    return value


def _pass(random: Random) -> bytes:
    content = {
        "id": "0123456789abcdef",
        "for": "alice",
        "iat": NOW - random.choice([0, 100]),
        "exp": NOW + random.choice([600, 600, 600, -1]),
        "methods": random.choice([[], [], ["GET"], ["POST", "HEAD"]]),
        "paths": random.choice([[], [], ["/secret"], ["/healthz", "/"]]),
    }
    secret = random.choice([PASS_SECRET, PASS_SECRET, PASS_SECRET, SECRET]).encode()
    value = make_pass(secret, content)
    return random.choice([value] * 8 + [b"", value[:-1], value + b"=", value + b"," + value])


def _put(random: Random, line: bytes) -> bytes:
    place = random.randint(0, len(line))
    return line[:place] + random.choice(TELLING) + line[place:]


def _replace(random: Random, line: bytes) -> bytes:
    place = random.randint(0, len(line))
    return line[:place] + bytes([random.randrange(256)]) + line[place + 1 :]


def _cut(random: Random, line: bytes) -> bytes:
    place = random.randint(0, len(line))
    return line[:place] + line[place + random.choice([1, 1, 2, 8]) :]


def _repeat(random: Random, line: bytes) -> bytes:
    return line + random.choice([b"\r\n", b"\r\n", b"\n", b","]) + line


def _at_an_end(random: Random, line: bytes) -> bytes:
    byte = random.choice(TELLING)
    return random.choice([byte + line, line + byte, line.replace(b": ", b":" + byte, 1)])


def _other_case(random: Random, line: bytes) -> bytes:
    return random.choice([line.lower(), line.upper(), line.swapcase()])


MUTATIONS: list[Callable[[Random, bytes], bytes]] = [
    _put,
    _put,
    _replace,
    _cut,
    _repeat,
    _at_an_end,
    _at_an_end,
    _other_case,
]

"""What it costs to verify one header value, beside what people use instead."""

from __future__ import annotations

import base64
import hmac
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import itsdangerous
import jwt
import standardwebhooks
from django.conf import settings
from django.core.signing import TimestampSigner as DjangoTimestampSigner
from measure import side_by_side
from report import Group, Row

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "an-example-secret-of-32-bytes-ok"
KEY = SECRET.encode()
# More than a scheme remembers, or cold values would be warm ones.
CALLS = 1_500


def group() -> Group:
    now = float(int(time.time()))  # a float, as the clock is
    values = [edgeauth.sign(SECRET, pop=f"L{n}", timestamp=int(now)).encode() for n in range(CALLS)]
    warm = edgeauth.EdgeAuthScheme([SECRET])
    signed = values[0].rpartition(b",")[0]
    timings = side_by_side(
        {
            "hmac": lambda: [hmac.digest(KEY, signed, "sha256") for _ in range(CALLS)],
            "warm": lambda: [warm.verify_value(values[0], now=now) for _ in range(CALLS)],
            "cold": lambda: _all(edgeauth.EdgeAuthScheme([SECRET]), values, now),
            "of 2": lambda: _all(_older_than(1), values, now),
            "of 5": lambda: _all(_older_than(4), values, now),
            "pasted": lambda: [pasted(value) for value in values],
            **_peers(now),
        },
        calls=CALLS,
    )

    def row(name: str, label: str, limit: float | None = None) -> Row:
        timing = timings[name]
        return Row(label, timing.median, timing.ratio(timings["hmac"]), limit)

    return Group(
        title="Verify one header value",
        unit="hmac.digest alone",
        rows=[
            row("hmac", "`hmac.digest` alone"),
            row("warm", "edgeauth warm: the value was seen before", 0.35),
            row("cold", "edgeauth cold: every value different", 1.5),
            Row(
                "edgeauth cold, to the pasted verifier",
                None,
                timings["cold"].ratio(timings["pasted"]),
                1.0,
            ),
            row("of 2", "edgeauth cold, signed with the older of 2 keys"),
            row("of 5", "edgeauth cold, signed with the oldest of 5 keys"),
            row("pasted", "the ten lines that people paste"),
            row("itsdangerous", "itsdangerous `TimestampSigner`"),
            row("django", "Django `TimestampSigner`"),
            row("standardwebhooks", "standardwebhooks"),
            row("pyjwt", "PyJWT HS256"),
        ],
        notes=["A POP signs all requests of one second alike, so warm is the common case."],
    )


def pasted(value: bytes) -> bool:
    """What is found in many an app: right for good values, and open in several ways."""
    timestamp, pop, signature = value.decode().split(",")
    if abs(time.time() - int(timestamp)) > 600:  # noqa: PLR2004 - as pasted
        return False
    expected = hmac.new(KEY, f"{timestamp},{pop}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(f"0x{expected}", signature.strip())


def _older_than(newer: int) -> edgeauth.EdgeAuthScheme:
    """A scheme whose oldest key is the one that signed: all are tried."""
    others = [f"another-secret-of-32-bytes-num-{n}" for n in range(newer)]
    return edgeauth.EdgeAuthScheme([SECRET, *others])


def _all(scheme: edgeauth.EdgeAuthScheme, values: list[bytes], now: float) -> None:
    verify = scheme.verify_value
    for value in values:
        verify(value, now=now)


def _peers(now: float) -> dict[str, Callable[[], object]]:
    """Each verifies what was signed for it, and refuses what was not: checked first."""
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET)
    dangerous, django = itsdangerous.TimestampSigner(SECRET), DjangoTimestampSigner(key=SECRET)
    one, two = dangerous.sign("LHR"), django.sign("LHR")
    webhook = standardwebhooks.Webhook(base64.b64encode(KEY).decode())
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": str(int(now)),
        "webhook-signature": webhook.sign("m", datetime.fromtimestamp(now, UTC), "LHR"),
    }
    token = jwt.encode({"iat": int(now), "pop": "LHR"}, SECRET, "HS256")
    peers: dict[str, Callable[[], object]] = {
        "itsdangerous": lambda: dangerous.unsign(one, max_age=600),
        "django": lambda: django.unsign(two, max_age=600),
        "standardwebhooks": lambda: webhook.verify("LHR", headers, json_parse=False),
        "pyjwt": lambda: jwt.decode(token, SECRET, ["HS256"]),
    }
    for verify in peers.values():
        verify()
    assert pasted(edgeauth.sign(SECRET, pop="LHR").encode())
    assert not pasted(edgeauth.sign(SECRET[::-1], pop="LHR").encode())
    _must_refuse(lambda: dangerous.unsign(one[:-1] + b"?", max_age=600))
    _must_refuse(lambda: django.unsign(two[:-1] + "?", max_age=600))
    _must_refuse(lambda: webhook.verify("JFK", headers, json_parse=False))
    _must_refuse(lambda: jwt.decode(token, SECRET[::-1], ["HS256"]))
    return {
        name: lambda verify=verify: [verify() for _ in range(CALLS)]
        for name, verify in peers.items()
    }


def _must_refuse(verify: Callable[[], object]) -> None:
    try:
        verify()
    except Exception:  # noqa: BLE001 - each library has its own
        return
    raise AssertionError("a compared library accepted what it must refuse")

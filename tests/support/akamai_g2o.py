"""The rows of tests/vectors/akamai-g2o.json, and their settings in our words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeauth import Key, KeyRing, SchemeSettings, VerificationError
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from support.request_rows import RequestRow

_FILE = Path(__file__).parents[1] / "vectors" / "akamai-g2o.json"
# What the rows call the default.
_TARGET = "request-target"


@dataclass(frozen=True)
class Row(RequestRow):
    reason: str | None
    seen: frozenset[bytes]
    source: str

    def scheme(self) -> AkamaiG2OScheme:
        """The verifier that the row describes, by way of settings."""
        # Published secrets have fewer bytes than settings take.
        keys = KeyRing(
            Key(name, secret, min_bytes=1) for name, secret in self.settings["keys"].items()
        )
        read = SchemeSettings(AkamaiG2OScheme.kind, given=options_of(self.settings))
        scheme = read.build_scheme(keys)
        assert isinstance(scheme, AkamaiG2OScheme)
        return scheme

    def verify(self, request: Any) -> Any:
        """The identity of *request* by the row's scheme, at its time, if it was not seen before.

        Raises:
            VerificationError: it is refused.
        """
        identity = super().verify(request)
        assert identity.once is not None
        if identity.once.key in self.seen:
            raise VerificationError("seen before")
        return identity


def options_of(settings: dict[str, Any]) -> dict[str, Any]:
    """A row's settings as options of the kind."""
    signed = settings["sign_string"]
    return {
        "versions": tuple(settings["versions"]),
        "max_age": settings["window"],
        "max_future": settings["window"],
        "data_header": settings["data_header"],
        "sign_header": settings["sign_header"],
        "sign_string": None if signed == _TARGET else tuple(signed.split()),
    }


def rows() -> list[Row]:
    return [
        Row(
            name=entry["name"],
            request=entry["request"],
            settings=entry["settings"],
            now=entry["now"],
            accept=entry["accept"],
            reason=entry["reason"],
            seen=frozenset(
                data.encode("latin-1") for data in entry.get("prior", {}).get("data_seen", [])
            ),
            source=entry["source"],
        )
        for entry in json.loads(_FILE.read_text("utf-8"))
    ]

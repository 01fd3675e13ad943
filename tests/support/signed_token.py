"""The rows of tests/vectors/netlify-jws.json and cloudflare-access-jwt.json, in our words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeauth import VerificationError
from edgeauth.schemes.signed_token import SignedTokenScheme
from support.request_rows import RequestRow

_FOLDER = Path(__file__).parents[1] / "vectors"
_FILES = ("netlify-jws", "cloudflare-access-jwt")
_CLAIMS = ("netlify_id", "site_url", "deploy_context", "type")


@dataclass(frozen=True)
class Row(RequestRow):
    reason: str | None
    why: str

    def scheme(self) -> SignedTokenScheme:
        """The verifier that the row describes."""
        return SignedTokenScheme(self.settings.get("secrets"), **options_of(self.settings))

    def accepted(self) -> bool:
        try:
            self.scheme().verify(self.plain(), now=self.now)
        except VerificationError:
            return False
        return True


def options_of(settings: dict[str, Any]) -> dict[str, Any]:
    """A row's settings as options of the kind; an option that it leaves out is left out."""
    found = {
        "header": settings["header"],
        "algorithm": settings["alg"],
        "issuer": settings["iss"],
        "audience": settings.get("aud"),
        "jwks": settings.get("jwks"),
        "max_skew": settings["skew"],
        "max_lifetime": settings.get("max_lifetime"),
        "claims": {name: settings[name] for name in _CLAIMS if settings.get(name) is not None},
    }
    return {name: value for name, value in found.items() if value is not None}


def rows() -> list[Row]:
    return [
        Row(**{name: entry[name] for name in Row.__dataclass_fields__})
        for file in _FILES
        for entry in json.loads((_FOLDER / f"{file}.json").read_text("utf-8"))
    ]

"""The rows of the vectors of storage clouds, and their settings in our words."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeauth import EdgeIdentity, Key, KeyRing, SchemeSettings, VerificationError
from support.request_rows import RequestRow

_FOLDER = Path(__file__).parents[1] / "vectors"

KINDS = ("azure-shared-key", "alibaba-oss")

# The MD5 that a published request signs is that of this text, of which the row has none.
_BODIES = {"v1-sdk-test-put": b"0123456789"}


@dataclass(frozen=True)
class Row(RequestRow):
    kind: str
    why: str

    @property
    def method(self) -> str:
        return self.request["method"]

    @property
    def body(self) -> bytes:
        """The body; of published requests some have one that nobody published: see has_body."""
        return _BODIES.get(self.name, base64.b64decode(self.request.get("body_b64", "")))

    @property
    def has_body(self) -> bool:
        """Whether the body is as long as it says."""
        lengths = [int(value) for name, value in self.fields if name.lower() == "content-length"]
        return lengths in ([], [len(self.body)])

    @property
    def scheme_is_lite(self) -> bool:
        """Whether the length of a body is not signed."""
        return self.settings.get("schemes") == ["SharedKeyLite"]

    def scheme(self) -> Any:
        """The verifier that the row describes."""
        return {"azure-shared-key": azure_of, "alibaba-oss": oss_of}[self.kind](self.settings)

    def accepted_by(self, scheme: Any) -> bool:
        """Whether it is accepted."""
        try:
            scheme.verify(self.plain(), now=self.now)
        except VerificationError:
            return False
        return True


def azure_of(settings: dict[str, Any]) -> Any:
    """A row's settings in ours, read as settings are but for the keys, which are published."""
    keys = KeyRing(Key(f"key{place}", text) for place, text in enumerate(settings["keys"], 1))
    [word] = settings["schemes"]
    given = {
        "account": settings["account"],
        "max_skew": settings["skew"],
        "lite": word == "SharedKeyLite",
    }
    return SchemeSettings("azure-shared-key", given=given).build_scheme(keys)


def oss_of(settings: dict[str, Any]) -> Any:
    """A row's settings in ours; published keys are short, and one request is for no bucket."""
    from edgeauth.schemes.alibaba_oss import AlibabaOssScheme  # noqa: PLC0415

    keys = KeyRing(Key(name, text, min_bytes=1) for name, text in settings["keys"].items())
    given: dict[str, Any] = {
        "bucket": settings["bucket"],
        "version": settings["version"],
        "max_skew": settings["skew"],
    }
    if settings["version"] == "v1":
        given["sub_resources"] = tuple(settings["sub_resources"])
        given["resource_path"] = settings["resource_path"]
    else:
        given["region"] = settings["region"]
        given["require_additional"] = tuple(settings["require_additional"])
    if not settings["bucket"]:
        return AlibabaOssScheme(keys, **given)
    return SchemeSettings("alibaba-oss", given=given).build_scheme(keys)


def rows(*kinds: str) -> list[Row]:
    """The rows of *kinds*, or of all."""
    return [
        Row(
            kind=kind,
            name=entry["name"],
            request=entry["request"],
            settings=entry["settings"],
            now=entry["now"],
            accept=entry["accept"],
            why=entry["why"],
        )
        for kind in kinds or KINDS
        for entry in json.loads((_FOLDER / f"{kind}.json").read_text("utf-8"))
    ]


def row(name: str) -> Row:
    """The row of this name."""
    [found] = [one for one in rows() if one.name == name]
    return found


class AtItsTime:
    """The scheme of a row, or of the row that a request names in X-Row, at the time of the row."""

    kind = "cloud-rows"
    headers = ("Authorization", "x-ms-date", "x-oss-date", "x-oss-content-sha256")
    looks_at = ("Date", "Content-Type", "Content-MD5")
    looks_at_beginning = ("x-ms-", "x-oss-")
    OPTIONS = ()

    def __init__(self, row: Row | None = None) -> None:
        self._row = row

    @classmethod
    def from_options(cls, _keys: KeyRing, _options: Any) -> AtItsTime:
        return cls()

    def verify(self, request: Any, *, now: float) -> EdgeIdentity:
        judged = self._row or row(request.header("X-Row")[0].decode())
        identity = judged.scheme().verify(request, now=judged.now)
        return identity._replace(scheme=self.kind, timestamp=int(now))

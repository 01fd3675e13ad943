"""The file that an update writes: an address list, and where it is from."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeauth.address_files import BUNDLED
from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.atomic_write import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from edgeauth.networks import Network


@dataclass(frozen=True, slots=True)
class ListFile:
    """The contents of the file.

    Attributes:
        listed: the networks of the edge.
        retiring: networks that left the list, and the last day on which an app that reads
            the file accepts them. A reader that does not know of them accepts less.
        as_of: the day for which the list was true, or None.
        source, etag: the URL of the list, and its ETag there; of several URLs all, and none.
    """

    listed: tuple[Network, ...]
    retiring: Mapping[Network, date]
    as_of: str | None
    source: str | None = None
    etag: str | None = None

    @classmethod
    def read(cls, path: Path, cdn: str = "fastly") -> ListFile:
        """The list in *path*; where there is no such file the bundled one of *cdn*, or nothing.

        Raises:
            ConfigurationError: the file is there and cannot be used.
        """
        if not path.exists():
            return cls.bundled(cdn)
        # With now=0 no retiring network is left out.
        addresses = AddressList.from_file(path, now=0)
        document: Any = None
        with contextlib.suppress(ValueError):  # a text, as some CDNs publish
            document = json.loads(path.read_text("utf-8-sig"))
        document = document if isinstance(document, dict) else {}
        source, etag = document.get("source"), document.get("etag")
        known = isinstance(source, str) and isinstance(etag, str)
        return cls.of(addresses, *((source, etag) if known else ()))

    @classmethod
    def bundled(cls, cdn: str) -> ListFile:
        """The bundled list of *cdn*, or one without a network."""
        return cls.of(AddressList.bundled(cdn)) if cdn in BUNDLED else cls((), {}, None)

    @classmethod
    def of(
        cls, addresses: AddressList, source: str | None = None, etag: str | None = None
    ) -> ListFile:
        """The list that an app holds."""
        listed = tuple(net for net in addresses.networks if net not in addresses.retiring)
        return cls(listed, addresses.retiring, addresses.as_of, source, etag)

    def text(self) -> str:
        """The text of the file: the shape of the public list, and a few more names."""
        document = {
            **({"source": self.source} if self.source else {}),
            **({"etag": self.etag} if self.etag else {}),
            **({"as_of": self.as_of} if self.as_of else {}),
            "addresses": [str(net) for net in self.listed if net.version == 4],  # noqa: PLR2004
            "ipv6_addresses": [str(net) for net in self.listed if net.version == 6],  # noqa: PLR2004
            **(
                {"retiring": {str(net): day.isoformat() for net, day in self.retiring.items()}}
                if self.retiring
                else {}
            ),
        }
        return json.dumps(document, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Put it at *path* in one step, after reading it as an app would.

        Raises:
            ConfigurationError: the file cannot be written. What was there still is.
        """
        text = self.text()
        AddressList.from_json(text, f"the new {str(path)!r}", now=0)
        try:
            replace_file(path, text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"addresses file {str(path)!r} cannot be written: {explain(error)}; "
                "what was there is as it was"
            ) from None

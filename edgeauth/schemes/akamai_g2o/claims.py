"""What the data header vouches for beside the time: two addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgeauth.addresses import canonical_address

EDGE, CLIENT = "edge_address", "client_address"


class Addresses(Mapping[str, object]):
    """The address of the edge and that of its client; one that is no address is not there.

    Few applications look, so the addresses are read when somebody does.

    Args:
        edge, client: as received, in ASCII.
    """

    __slots__ = ("_found", "_received")

    def __init__(self, edge: bytes, client: bytes) -> None:
        self._received = edge, client
        self._found: dict[str, object] | None = None

    def _read(self) -> dict[str, object]:
        if self._found is None:
            edge, client = (canonical_address(text.decode()) for text in self._received)
            read = {EDGE: edge, CLIENT: client}
            self._found = {name: text for name, text in read.items() if text is not None}
        return self._found

    def __getitem__(self, name: str) -> object:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())

"""How a state gets from the supervisor to a process, without either waiting for the other.

One end of a pair of sockets each. The supervisor writes what the socket takes and keeps the
rest; a process that reads nothing keeps nobody up, however large the state is. Only the newest
state is worth sending: one that was not begun is replaced by the next.

::

    length, 8 bytes | pickled state | length | ...
"""

from __future__ import annotations

import pickle
import socket
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth.service.state import State

_LENGTH = Struct("!Q")

# So much is read at a time: between two readings, requests are decided.
_READ_BYTES = 256 * 1024


def pack(state: State) -> bytes:
    """A state as it travels."""
    body = pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def open_channel() -> tuple[Outbox, Inbox]:
    """The end of the supervisor and that of one of its processes.

    Raises:
        OSError: out of descriptors.
    """
    ours, theirs = socket.socketpair()
    return Outbox(ours), Inbox(theirs)


class Outbox:
    """The supervisor's end."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - no keyword there
        self._connection = connection
        self._begun = memoryview(b"")
        self._next = b""

    @property
    def waiting(self) -> bool:
        """Whether something is to be sent once the socket takes more."""
        return bool(self._begun or self._next)

    def fileno(self) -> int:
        """For ``select``."""
        return self._connection.fileno()

    def send(self, packed: bytes) -> None:
        """Send a packed state after the one that is on its way; it replaces one that is not."""
        self._next = packed
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes now."""
        try:
            while self.waiting:
                if not self._begun:
                    self._begun, self._next = memoryview(self._next), b""
                self._begun = self._begun[self._connection.send(self._begun) :]
        except BlockingIOError:
            return
        except OSError:
            # It has just died, and is started again with the newest state.
            self._begun, self._next = memoryview(b""), b""

    def close(self) -> None:
        """Let the other end know that there is nothing more to come."""
        self._connection.close()


class Inbox:
    """The end of a process."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - no keyword there
        self._connection = connection
        self._received = bytearray()

    def fileno(self) -> int:
        """For the event loop."""
        return self._connection.fileno()

    def receive(self) -> State | None:
        """Read what is there: the newest state that is whole by now, if there is one.

        Raises:
            EOFError: the supervisor closed its end, or is gone.
        """
        try:
            part = self._connection.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            part = b""
        if not part:
            raise EOFError
        self._received += part
        newest = None
        while len(self._received) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                break
            newest = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
        if newest is None:
            return None
        # From the process that forked this one, over a pair of sockets that nobody else has.
        state: State = pickle.loads(newest)  # noqa: S301
        return state

    def close(self) -> None:
        """Close this end."""
        self._connection.close()

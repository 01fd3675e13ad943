"""An edge that signs all the time, and changes under way what it sends and whom it asks."""

from __future__ import annotations

import http.client
import threading
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from support.processes import HOST, wait_until

from edgeauth import sign
from edgeauth.ops.private_key import new_pair
from edgeauth.schemes.message_signatures import MessageSigner, PrivateKey

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the-secret-of-last-november"

# The ids of the keys, and the credentials of a request.
OLD, NEW = "old", "new"
EDGE_AUTH, BOTH, SIGNATURES = frozenset({OLD}), frozenset({OLD, NEW}), frozenset({NEW})
# What an origin takes in the end: each signature for one request.
ONCE = frozenset({NEW, "once"})

TARGET = "/?page=1"


class Keys(NamedTuple):
    """What the edge signs with, and what an origin has to be told.

    Attributes:
        signer: signs requests.
        settings: the text of a TOML file, by the credentials that an origin takes with it.
    """

    signer: MessageSigner
    settings: dict[frozenset[str], str]


def keys_in(folder: Path) -> Keys:
    """A secret and a pair; what the origin has of them is in *folder*."""
    pem, public = new_pair(NEW)
    (folder / "old.keys").write_text(f"{OLD}: {SECRET}\n")
    (folder / "new.keys").write_text(f"{NEW}: {public.text}\n")
    old = f'secrets_file = "{folder}/old.keys"\n'
    new = f'scheme = "message-signatures"\nsecrets_file = "{folder}/new.keys"\ntag = "edge"\n'
    return Keys(
        MessageSigner(PrivateKey(NEW, pem), tag="edge"),
        {
            EDGE_AUTH: old,
            BOTH: f"[[schemes]]\n{new}[[schemes]]\n{old}",
            SIGNATURES: new,
            ONCE: f'{new}replay = "sqlite:{folder}/seen.db"\n',
        },
    )


class Answer(NamedTuple):
    """A status, and what the application says."""

    status: int
    body: str


class Edge:
    """Signs requests in two threads until the block ends, each with what it sends then.

    Args:
        signer: signs requests.
        ports: of the machines that it asks in turn.
        tries: how often it asks, signed anew, where a connection is closed without an answer.

    Attributes:
        wrong: what was not answered with 200.
        asked: how many requests there were.
    """

    def __init__(self, signer: MessageSigner, *ports: int, tries: int = 1):
        self.wrong: list[object] = []
        self._signer, self._tries = signer, tries
        self._plan = (EDGE_AUTH, ports)
        self._in_use = [self._plan, self._plan]
        self._count = count()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in (0, 1)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place):
        while not self._done.is_set():
            self._in_use[place] = sends, ports = self._plan
            for port in ports:
                answer = self._answer(port, sends)
                next(self._count)
                if not isinstance(answer, Answer) or answer.status != 200:
                    self.wrong.append((sends, answer))

    def _answer(self, port, sends):
        lost = []
        while len(lost) < self._tries:
            try:
                return self.ask(port, sends)
            except OSError as error:
                lost.append(error)
        return lost

    def fields(self, port: int, sends: frozenset[str]) -> dict[str, str]:
        """The credentials of a request to *port*."""
        fields = {}
        if OLD in sends:
            fields["Edge-Auth"] = sign(SECRET, pop="LHR")
        if NEW in sends:
            fields |= self._signer.sign("GET", TARGET, f"{HOST}:{port}")
        return fields

    def ask(self, port: int, sends: frozenset[str], **other: str) -> Answer:
        """The answer to one request, with *other* fields."""
        return ask(port, {**self.fields(port, sends), **other})

    def sends(self, what: frozenset[str]) -> None:
        """Send *what*; no request with what was sent before is on its way after this."""
        self._change((what, self._plan[1]))

    def asks(self, *ports: int) -> None:
        """Ask these machines; no request to another one is on its way after this."""
        self._change((self._plan[0], ports))

    def answered(self, more: int) -> None:
        """Wait until *more* requests were answered."""
        goal = next(self._count) + more
        wait_until(lambda: next(self._count) > goal, what=f"{more} more requests")

    def _change(self, plan):
        self._plan = plan
        wait_until(lambda: self._in_use == [plan, plan], what="a request by the new plan")


def ask(port: int, fields: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", TARGET, headers={**fields, "Connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
    finally:
        connection.close()

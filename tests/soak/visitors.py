"""Threads that send requests in every way a connection allows, and judge each answer."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.processes import wait_until
from support.wire import Address, Stream, connect

from soak.books import Tally
from soak.traffic import Keys, Manner, Request, Traffic

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from support.wire import Answer

# A visitor waits no longer than this for an answer; a server that hangs fails the soak.
_PATIENCE_SECONDS = 30

# Before the next connection, where nobody took the last one.
_WAIT_SECONDS = 0.05

# How many requests a visitor in a hurry sends at once.
_IN_A_HURRY = 40


@dataclass(frozen=True, eq=False)
class Weather:
    """What may happen to requests now; each change makes another one.

    Attributes:
        connections_end: a connection may end before it brought an answer.
        asked_again: a decision may be asked for twice.
        undecided: who asks for decisions may get none, and answers 500.
        down: nobody decides: each question is answered 500.
        decided_is_answered: what was decided is answered, though connections end.
    """

    connections_end: bool = False
    asked_again: bool = False
    undecided: bool = False
    down: bool = False
    decided_is_answered: bool = False


FAIR = Weather()

# Words for what came of a request without an answer.
NOTHING, LOST, CLOSED, NOT_TAKEN = "nothing", "lost", "closed", "not taken"


@dataclass
class Visitor(threading.Thread):
    """One thread.

    Attributes:
        begun: how many connections it has opened.
    """

    crowd: Crowd
    traffic: Traffic
    tally: Tally = field(default_factory=Tally)
    begun: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        chance = self.traffic.chance
        while not self.crowd.leaving.is_set():
            self.begun += 1
            way = Visitor._hurry if self.crowd.hurrying else chance.choices(_WAYS, _SHARES)[0]
            try:
                way(self)
            except Exception as error:  # noqa: BLE001 - a mistake of the soak must not go unseen
                self.tally.wrong.append(f"a visitor failed: {error!r}")
                return

    # --- the ways

    def _keep(self) -> None:
        """One request after the other on a connection."""
        count = self.traffic.chance.randrange(2, 16)
        self._converse([self._request(close=n == count - 1) for n in range(count)], at_once=1)

    def _leave(self) -> None:
        """The same, and the client ends the connection."""
        self._converse([self._request() for _ in range(self.traffic.chance.randrange(2, 9))], 1)

    def _close(self) -> None:
        self._converse([self._request(close=True)], 1)

    def _pipeline(self) -> None:
        count = self.traffic.chance.randrange(2, self.crowd.most_at_once + 1)
        self._converse([self._request(close=n == count - 1) for n in range(count)], count)

    def _hurry(self) -> None:
        count = _IN_A_HURRY
        self._converse([self.traffic.signed(close=n == count - 1) for n in range(count)], count)

    def _drip(self) -> None:
        self._converse([self._request(close=True)], 1, pieces=4)

    def _half(self) -> None:
        half = self.traffic.half()
        self.tally.sent[half.kind] += 1
        self.tally.answers[half.kind, NOTHING] += 1
        try:
            with connect(self.crowd.address) as client:
                client.sendall(half.sent)
        except OSError:
            time.sleep(_WAIT_SECONDS)

    def _junk(self) -> None:
        self._converse([self.traffic.junk()], 1)

    def _huge(self) -> None:
        self._converse([self.traffic.huge()], 1)

    def _request(self, *, close: bool = False) -> Request:
        return self.traffic.request(close=close)

    # ---

    def _converse(self, requests: list[Request], at_once: int, *, pieces: int = 1) -> None:
        before = self.crowd.weather
        waiting: list[Request] = []
        try:
            with connect(self.crowd.address, seconds=_PATIENCE_SECONDS) as client:
                stream = Stream(client)
                while requests:
                    before = self.crowd.weather
                    waiting, requests = requests[:at_once], requests[at_once:]
                    _send(client, b"".join(request.sent for request in waiting), pieces)
                    while waiting:
                        answer = stream.answer(waiting[0].method)
                        self._judge(waiting.pop(0), answer, before)
                        if answer.headers.get("connection", "").lower() == "close":
                            self._see_off(waiting, requests, before)
                            return
        except TimeoutError:
            self.tally.wrong.append(f"no answer in {_PATIENCE_SECONDS} s to {waiting[:1]}")
        except (OSError, EOFError):
            for request in waiting:
                self._judge(request, None, before)
            if not waiting:
                if not self.crowd.since(before).connections_end:
                    self.tally.wrong.append("nobody took a connection")
                time.sleep(_WAIT_SECONDS)

    def _see_off(self, sent: list[Request], unsent: list[Request], before: Weather) -> None:
        """The server ended the connection: what was sent behind that request is not read."""
        for request in sent:
            self.tally.sent[request.kind] += 1
            self.tally.answers[request.kind, NOT_TAKEN] += 1
        weather = self.crowd.since(before)
        fair = not (weather.connections_end or weather.undecided or weather.down)
        if fair and (sent or unsent):
            self.tally.wrong.append(f"the connection was ended before {(sent + unsent)[0].line}")

    def _judge(self, request: Request, answer: Answer | None, before: Weather) -> None:
        weather = self.crowd.since(before)
        self.tally.sent[request.kind] += 1
        word = self._word(request, answer, weather)
        self.tally.answers[request.kind, word] += 1
        if request.line is None:
            if self.traffic.manner.is_asked:
                self.tally.unreadable[0] += word != LOST
                self.tally.unreadable[1] += 1
            return
        self.tally.least[request.line] += word not in {LOST, "500"}
        if weather.down or (word == LOST and weather.decided_is_answered):
            most = 0
        else:
            most = 2 if weather.asked_again else 1
        self.tally.most[request.line] += most

    def _word(self, request: Request, answer: Answer | None, weather: Weather) -> str:
        """What came of a request, and whether it may."""
        if answer is None:
            if request.line is None and not self.traffic.manner.is_asked:
                return CLOSED  # what is no HTTP may get no answer either
            if not weather.connections_end:
                self.tally.wrong.append(f"{request.kind}: no answer, {request.line}")
            self.tally.lost += 1
            return LOST
        right = answer.status in request.statuses
        if request.line is not None:
            if answer.status == 500 and (weather.undecided or weather.down):
                self.tally.undecided += 1
                return "500"
            right = right and not weather.down
            right = right and self.crowd.tells(answer, request.line)
        if not right:
            self.tally.wrong.append(
                f"{request.kind}: {answer.status}, {answer.body[:60]!r} for {request.line}"
            )
        return str(answer.status)


def _send(client: socket.socket, sent: bytes, pieces: int) -> None:
    step = -(-len(sent) // pieces)
    # What the server said before it had enough is still to be read.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for start in range(0, len(sent), step):
            client.sendall(sent[start : start + step])
            if start + step < len(sent):
                time.sleep(0.005)


_WEIGHED = {
    Visitor._keep: 30,
    Visitor._leave: 8,
    Visitor._close: 25,
    Visitor._pipeline: 12,
    Visitor._drip: 6,
    Visitor._half: 7,
    Visitor._junk: 8,
    Visitor._huge: 4,
}
_WAYS, _SHARES = tuple(_WEIGHED), tuple(_WEIGHED.values())


@dataclass
class Crowd:
    """The visitors of one set-up.

    Attributes:
        address: where they go.
        manner: how it answers.
        keys: who signs.
        tells: whether an answer says what the decision was.
        count: of the visitors.
        most_at_once: how many requests one of them has on the way.
        hurrying: send what is accepted, and nothing else, many at once.
        weather: what may happen to requests now.
        worst: what may happen to a request during which the weather changed.
    """

    address: Address
    manner: Manner
    keys: Keys
    tells: Callable[[Answer, object], bool]
    count: int = 8
    most_at_once: int = 6
    hurrying: bool = False
    weather: Weather = FAIR
    worst: Weather = FAIR
    leaving: threading.Event = field(default_factory=threading.Event)
    visitors: list[Visitor] = field(default_factory=list)
    _visits: int = 0

    @contextlib.contextmanager
    def visiting(self) -> Iterator[Tally]:
        """Send requests until the block ends; the tally is whole after it."""
        self.leaving.clear()
        self._visits += 1
        whole = Tally()
        self.visitors = [self._visitor(f"{self._visits}-{place}") for place in range(self.count)]
        for visitor in self.visitors:
            visitor.start()
        try:
            yield whole
        finally:
            self.leaving.set()
            for visitor in self.visitors:
                visitor.join()
                whole.add(visitor.tally)

    def _visitor(self, name: str) -> Visitor:
        chance = random.Random(name)  # noqa: S311 - the same requests each time
        return Visitor(self, Traffic(self.manner, self.keys, name, chance))

    @contextlib.contextmanager
    def expecting(self, weather: Weather) -> Iterator[None]:
        """In the block, and until nobody is on a connection of then, *weather* is fair."""
        self.weather = self.worst = weather
        try:
            yield
            self.settle()
        finally:
            self.weather = FAIR

    def since(self, before: Weather) -> Weather:
        """What may have happened since the weather was *before*."""
        return before if before is self.weather else self.worst

    def settle(self) -> None:
        """Wait until each visitor has opened a connection after this began."""
        seen = [visitor.begun for visitor in self.visitors]
        wait_until(
            lambda: all(
                visitor.begun > before or not visitor.is_alive()
                for visitor, before in zip(self.visitors, seen, strict=True)
            ),
            seconds=60,
            what="a new connection of each visitor",
        )

    def sent(self) -> int:
        return sum(visitor.tally.sent.total() for visitor in self.visitors)

"""What a Redis answers, said by nobody."""

from __future__ import annotations

import hashlib

NOW = 1_700_000_000.0
ADMITTED, LOST = True, "the store lost what it remembered"
NAME = hashlib.sha256(b"one").hexdigest()


class Client:
    """Answers as a server would, or raises; it keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def set(self, name, value, **how):
        self.asked.append(("SET", name, value, how))
        return self._answer()

    def get(self, name):
        self.asked.append(("GET", name))
        return self._answer()

    def _answer(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class AsyncClient(Client):
    """The same for an event loop."""

    async def set(self, name, value, **how):
        return Client.set(self, name, value, **how)

    async def get(self, name):
        return Client.get(self, name)


def info(**told):
    return b"".join(f"{name}:{value}\r\n".encode() for name, value in told.items())


FIT = {"run_id": "a", "uptime_in_seconds": 9, "role": "master"}

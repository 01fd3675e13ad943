"""Runs subroutines of a VCL file without falco: those few statements that our files have.

This is no simulator. It reads the file that is shipped and does what the vendor documents of each
function, so it shows what the file's concatenations make of a request. That a real POP does the
same is for falco, and for the service itself, to show.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'\{"(?P<long>.*?)"\}|"(?P<text>[^"]*)"|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>!=|[-+~!(){};,=])'
    r"|\s+|#[^\n]*",
    re.DOTALL,
)


@dataclass
class Vcl:
    """A file, and what it can read of the world.

    Attributes:
        text: of the file.
        variables: by their names in lower case; an absent one is empty. ``set`` changes them.
        table: the only dictionary.
        now: Unix seconds.
        logged: what was logged.
    """

    text: str
    variables: dict[str, Any]
    table: dict[str, str]
    now: int = 0
    logged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            assert match, self.text[place : place + 40]
            if match.lastgroup:
                self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        names = [value for _, value in self._tokens]
        self._subs = {
            names[place + 1]: names.index("{", place) + 1
            for place, name in enumerate(names)
            if name == "sub"
        }
        self._place = 0

    def call(self, name: str) -> str:
        """Run a subroutine; what it returns, if it returns something."""
        back, self._place = self._place, self._subs[name]
        locals_, self._locals = getattr(self, "_locals", {}), {}
        returned = self._block(run=True)
        self._place, self._locals = back, locals_
        return returned or ""

    def _take(self, expected: str = "") -> tuple[str, str]:
        token = self._tokens[self._place]
        assert not expected or token[1] == expected, (token, expected)
        self._place += 1
        return token

    def _next(self) -> str:
        return self._tokens[self._place][1]

    def _block(self, *, run: bool) -> str | None:
        """The statements up to the closing bracket, which are read only if not *run*."""
        while self._next() != "}":
            returned = self._statement(run=run)
            if returned is not None:
                return returned
        self._take("}")
        return None

    def _statement(self, *, run: bool) -> str | None:
        word = self._take()[1]
        if word == "if":
            return self._if(run=run)
        if not run:
            while self._take()[1] != ";":
                pass
            return None
        if word == "declare":
            self._place += 1
            self._locals[self._take()[1]] = ""
            self._take("STRING")
        elif word == "set":
            name = self._take()[1]
            self._take("=")
            place = self._locals if name in self._locals else self.variables
            place[name if place is self._locals else name.lower()] = self._expression()
        elif word == "unset":
            self.variables.pop(self._take()[1].lower(), None)
        elif word == "log":
            self.logged.append(self._expression())
        elif word == "return":
            return self._expression()
        else:
            raise AssertionError(word)
        self._take(";")
        return None

    def _if(self, *, run: bool) -> str | None:
        self._take("(")
        holds = self._condition() if run else self._skip_condition()
        self._take("{")
        returned = self._block(run=run and holds)
        if returned is None and self._next() == "else":
            self._place += 1
            self._take("{")
            returned = self._block(run=run and not holds)
        return returned

    def _skip_condition(self) -> bool:
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self._take()[1], 0)
        return False

    def _condition(self) -> bool:
        negated = self._next() == "!" and bool(self._take())
        left = self._expression()
        sign = self._take()[1]
        if sign == ")":
            return bool(left) is not negated
        right = self._expression()
        self._take(")")
        if sign == "!=":
            return left != right
        assert sign == "~"
        match = re.search(right, left)
        for place, group in enumerate(match.groups("") if match else (), 1):
            self.variables[f"re.group.{place}"] = group
        return bool(match)

    def _expression(self) -> Any:
        value = self._term()
        while self._next() == "+":
            self._place += 1
            value += self._term()
        return value

    def _term(self) -> Any:
        kind, value = self._take()
        if kind in {"long", "text"}:
            return value
        if self._next() != "(":
            if value == "LF":
                return "\n"
            if value == "now.sec":
                return str(self.now)
            return self._locals.get(value, self.variables.get(value.lower(), ""))
        self._take("(")
        if value == "table.lookup":
            self._take("edge_auth")
            self._take(",")
        arguments = []
        while self._next() != ")":
            arguments.append(self._expression())
            if self._next() == ",":
                self._place += 1
        self._take(")")
        return self._function(value, arguments)

    def _function(self, name: str, arguments: list[str]) -> str:
        if name in self._subs:
            return self.call(name)
        if name == "regsub":
            text, pattern, other = arguments
            return re.sub(pattern, other, text, count=1)
        if name == "table.lookup":
            return self.table.get(*arguments)
        if name == "std.tolower":
            return arguments[0].lower()
        if name == "uuid.version4":
            return str(uuid.uuid4())
        assert name == "digest.hmac_sha256_base64"
        secret, text = (argument.encode() for argument in arguments)
        return base64.b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()

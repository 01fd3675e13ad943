"""A scheme of another package: two fields, and a proof of time, method and path.

For tests of what such a package needs: this folder, and the entry point beside it.
"""

from __future__ import annotations

import re
from hmac import compare_digest

from edgeauth import BadSignature, ConfigurationError, EdgeIdentity, Expired, MalformedHeader
from edgeauth.schemes.base import not_once
from edgeauth.schemes.options import Option, read_number

TIME = "X-Toy-Time"
PROOF = "X-Toy-Proof"
FORM = re.compile(rb"[1-9][0-9]{0,11}")


def proof(key, moment, method, path):
    return key.mac(f"{moment} {method} {path}".encode()).hex()


class ToyScheme:
    kind = "toy"
    headers = (TIME, PROOF)
    OPTIONS = (Option("window", read_number("seconds"), 30, "seconds that a proof is good"),)

    def __init__(self, keys, *, window=30):
        self.keys = keys
        self.window = window

    @classmethod
    def from_options(cls, keys, options):
        return cls(keys, **options)

    def verify(self, request, *, now):
        moment, given = (self._once(request, name) for name in self.headers)
        if not FORM.fullmatch(moment):
            raise MalformedHeader("the time is none", hint="write whole seconds")
        method = "GET" if request.handshake else request.method
        for key in self.keys:
            made = proof(key, int(moment), method, request.path)
            if compare_digest(made.encode(), given):
                break
        else:
            raise BadSignature("no key made this proof")
        identity = EdgeIdentity(int(moment), None, key.id, scheme=self.kind)
        age = identity.age(now)
        if not 0 <= age <= self.window:
            raise Expired(identity=identity, age=age, limit=self.window)
        return identity

    def credential(self, *, now, request=None, **_how):
        if request is None:
            raise ConfigurationError("a toy proof is of one request: name it with --curl URL")
        key, path = self.keys.signing_key(now), request.target.partition("?")[0]
        return {TIME: str(int(now)), PROOF: proof(key, int(now), request.method, path)}

    @staticmethod
    def _once(request, name):
        values = request.header(name)
        if len(values) != 1:
            raise not_once(values, name)
        return values[0]

"""Judges whether the old keys of a rotation can be dropped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import seconds
from edgeauth.public_keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeauth.keys import KeyRing
    from edgeauth.named_key import NamedKey
    from edgeauth.ops.rotation.evidence import AcceptedRequests


class Evidence(NamedTuple):
    """What was observed of the keys.

    Attributes:
        accepted: the accepted requests.
        seconds: the length of the observation.
    """

    accepted: AcceptedRequests
    seconds: float


class Judgement(NamedTuple):
    """Whether the old keys can be dropped.

    Attributes:
        safe: the old keys can be dropped, or there are none.
        sentence: why.
    """

    safe: bool
    sentence: str


def judge(keys: KeyRing, evidence: Evidence | None, now: float | None = None) -> Judgement:
    """Judge by *evidence* whether all *keys* but the newest can be dropped.

    Args:
        keys: oldest to newest.
        evidence: what was observed of them, or None.
        now: Unix seconds; None is the present.
    """
    *old, new = keys
    if not old:
        return Judgement(safe=True, sentence="No rotation is under way: there is one key.")
    if not new.valid_at(time.time() if now is None else now):
        return Judgement(
            safe=False, sentence=f"The newest key, {new.id}, is not valid now by its dates."
        )
    if evidence is None:
        return Judgement(
            safe=False,
            sentence="A rotation is under way. Give --log or --metrics to see whether the edge "
            "has switched.",
        )
    return _judge_by(old, new, evidence)


def _judge_by(old: Sequence[NamedKey], new: NamedKey, evidence: Evidence) -> Judgement:
    by_key, gap = evidence.accepted
    window = f"in the last {seconds(evidence.seconds)} s"
    still = [key for key in old if by_key[key.id]]
    if still:
        return Judgement(
            safe=False, sentence=f"The edge has not switched: {key_ids(still)} was seen {window}."
        )
    if gap is not None:
        return Judgement(safe=False, sentence=f"Nothing can be said: {gap}")
    if not by_key[new.id]:
        return Judgement(
            safe=False,
            sentence=f"Nothing can be said: no accepted request was seen {window}. Is there "
            "traffic, and is it the right log?",
        )
    return Judgement(
        safe=True,
        sentence=f"The edge has switched: {window} only {new.id} was seen. Finish with: "
        "edgeauth keys rotate finish",
    )


def key_ids(keys: Iterable[NamedKey]) -> str:
    """The ids of *keys* for people."""
    return ", ".join(key.id for key in keys)


def kind_of(key: NamedKey) -> str:
    """What *key* is for people, if it is not a secret: a public one, and its algorithm."""
    return f"public, {key.algorithm}" if isinstance(key, PublicKey) else ""

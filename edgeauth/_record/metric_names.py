"""Every metric once: its name, what it counts, its labels. Apps and the service share them.

No value of a label is anything that a client sets: reasons are those of :mod:`edgeauth.reasons`,
and who signed is known of authentic values alone.
"""

from __future__ import annotations

from typing import NamedTuple

from edgeauth.reasons import REASONS


class Described(NamedTuple):
    """A metric, as Prometheus shows it.

    Attributes:
        name: of the family; a counter's sample has ``_total`` behind it.
        kind: ``counter``, ``gauge``, ``histogram`` or ``info``.
        text: what it says.
        labels: the names of its labels.
        in_apps: whether an app has it too; the others are the service's.
    """

    name: str
    kind: str
    text: str
    labels: tuple[str, ...] = ()
    in_apps: bool = False


BUILD = Described("edgeauth_build", "info", "The running version.", ("version",), in_apps=True)
DECISIONS = Described(
    "edgeauth_decisions",
    "counter",
    "Decisions by result (allow, deny, or would-deny in report-only mode) and reason.",
    ("result", "reason"),
    in_apps=True,
)
VERIFIED = Described(
    "edgeauth_verified",
    "counter",
    "Verified values by the scheme that accepted them, and the key and the POP that "
    "signed them; passes as pass:<holder>.",
    ("scheme", "key_id", "pop"),
    in_apps=True,
)
AGE = Described(
    "edgeauth_age_seconds",
    "histogram",
    "Seconds between signing and verifying; below zero the edge's clock is ahead.",
    in_apps=True,
)
DECISION_TIME = Described(
    "edgeauth_decision_seconds",
    "histogram",
    "How long a decision took, without the HTTP around it.",
)
GENERATION = Described(
    "edgeauth_generation",
    "gauge",
    "The configuration in force; each successful reload adds one.",
)
WORKER_GENERATION = Described(
    "edgeauth_worker_generation",
    "gauge",
    "The configuration that a worker decides by; 0 while it is being replaced.",
    ("worker",),
)
RELOADS = Described("edgeauth_reloads", "counter", "Reloads by result.", ("result",))
RESTARTS = Described("edgeauth_restarts", "counter", "Processes that died and were replaced.")
CONFIG_LOADED = Described(
    "edgeauth_config_loaded_timestamp_seconds",
    "gauge",
    "When the configuration in force was read.",
)
ADDRESS_LIST_AGE = Described(
    "edgeauth_address_list_age_seconds",
    "gauge",
    "How long ago the address list was known to be true.",
)

#: In the order in which they are shown.
METRICS = (
    *(BUILD, DECISIONS, VERIFIED, AGE, DECISION_TIME, GENERATION, WORKER_GENERATION),
    *(RELOADS, RESTARTS, CONFIG_LOADED, ADDRESS_LIST_AGE),
)

#: Upper bounds of ages in seconds; one more bucket holds the rest.
AGE_BOUNDS = (-5, -2, -1, 0, 1, 2, 3, 5, 10, 20, 30, 45, 60, 120, 300)

# A signer is a kind of scheme, a key id and a POP, or HOLDER and the holder of a pass; no key id
# begins with HOLDER. Only authentic values are counted, so strangers cannot fill the table.
# Signers beyond SIGNERS, in one process, are counted as OTHER.
SIGNERS = 512
OTHER = ("other", "other", "other")
HOLDER = "pass:"

#: Bytes that the name of a signer may have.
NAME_BYTES = 128
_COMMAS = 2


def signer_name(scheme: str, key_id: str, pop: str) -> bytes | None:
    """A signer as "scheme,key id,POP"; None for one that is counted as OTHER.

    What somebody's own scheme calls its keys may be of any form.
    """
    raw = f"{scheme},{key_id},{pop}".encode("ascii", "replace")
    return None if len(raw) > NAME_BYTES or raw.count(b",") != _COMMAS else raw


def result_of(reason: str, *, allowed: bool) -> str:
    """The label *result* of a decision."""
    if not allowed:
        return "deny"
    return "allow" if reason in REASONS and REASONS[reason].admits else "would-deny"

"""``make bench``: edgeauth beside its peers.

Prints a table a group, writes RESULTS.md and results.svg and the figures that README.md and
docs/ quote, and ends with status 1 if something that must hold does not. ``BENCH=quick`` in
the environment is done within a minute and writes nothing.
"""

from __future__ import annotations

import logging
import os
import sys

import adapters
import addresses
import akamai_g2o
import any_of
import aws_sigv4
import cloud_keys
import counting
import figures
import measure
import message_signatures
import replay
import report
import served
import signed_tokens
import startup
import verify

PACKAGES = (
    *("edgeauth", "itsdangerous", "starlette", "werkzeug", "django", "standardwebhooks"),
    *("PyJWT", "http-message-signatures", "cryptography", "redis"),
    *("uvicorn", "uvloop", "httptools", "click"),
)


def main() -> int:
    # Refusals are logged for real, to a place where nobody waits for them.
    logging.getLogger("edgeauth").addHandler(logging.FileHandler(os.devnull))
    logging.getLogger("edgeauth").propagate = False
    groups = []
    for measured in (
        lambda: [verify.group()],
        lambda: [counting.group()],
        lambda: [message_signatures.group()],
        lambda: [aws_sigv4.group()],
        lambda: [akamai_g2o.group()],
        lambda: [signed_tokens.group()],
        lambda: [any_of.group()],
        lambda: [cloud_keys.group()],
        lambda: [replay.group()],
        adapters.groups,
        lambda: [addresses.group()],
        lambda: [startup.group()],
        lambda: [served.group()],
    ):
        for group in measured():
            report.show(group)
            groups.append(group)
    if not measure.QUICK:
        report.write(groups, PACKAGES)
        figures.rewrite()
    broken = [row for group in groups for row in group.rows if row.holds is False]
    for row in broken:
        print(f"FAILS: {row.label}: {row.ratio:.2f}, must be {row.cells()[3]}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

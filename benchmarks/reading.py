"""How long a request waits when a list of addresses changes, by the length of the list.

Run by ``make bench-reading``. Writes RESULTS-reading.md, and the same into docs/rotation.md.
One thread asks without a pause, so that each look at the file and the reading beside it is in
what is measured; then nobody asks until the next change is due.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
from pathlib import Path
from time import perf_counter, sleep

import figures
from report import machine
from support.files import replace
from support.large_lists import large_list
from support.requests import PlainRequest

from edgeauth import AddressList, Guard, sign
from edgeauth._reload.watched_file import grace

SIZES = (1_000, 10_000, 50_000, 200_000)
INTERVAL = 1
RUNS = 3


def main() -> None:
    """Print a line for each size, and keep them."""
    lines = ["networks    file  read in  longest wait  after an idle time"]
    print(lines[0])
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            measured = [_measure(Path(folder, "list.json"), size) for _ in range(RUNS)]
        stored, *times = (statistics.median(column) for column in zip(*measured, strict=True))
        read, waited, idle = (f"{seconds * 1e3:.0f} ms" for seconds in times)
        lines.append(f"{size:>8,}  {stored / 1e6:>3.1f} MB  {read:>7}  {waited:>12}  {idle:>18}")
        print(lines[-1])
    table = "".join(f"    {line}\n" for line in lines)
    figures.READING.write_text(
        "# Reading a list anew, measured\n\n"
        f"Written by `make bench-reading`. {machine(())}\n\n{table}",
        "utf-8",
    )
    figures.rewrite()


def _measure(file: Path, size: int) -> tuple[float, float, float, float]:
    """The size of the file, and three times in seconds, in the order of the columns."""
    ours, other = large_list("192.0.2.0/24", size=size), large_list(size=size)
    file.write_text(ours)
    started = perf_counter()
    AddressList.from_file(file)
    read = perf_counter() - started
    secret = secrets.token_hex()
    guard = Guard.from_settings(
        {"secret": secret, "addresses": file, "watch_interval": INTERVAL, "max_age": 3600}
    )
    value = sign(secret, pop="LHR").encode()
    request = PlainRequest(peer="192.0.2.1", fields=[("Edge-Auth", value)])

    def wait() -> tuple[bool, float]:
        started = perf_counter()
        allowed = guard.check(request).allowed
        return allowed, perf_counter() - started

    # Until it is known that the file stands still.
    until = perf_counter() + 2 * grace(INTERVAL)
    while perf_counter() < until:
        wait()
    replace(file, other)
    waits = [wait()]
    while waits[-1][0]:
        waits.append(wait())
    replace(file, ours)
    sleep(2 * grace(INTERVAL))
    allowed, idle = wait()
    assert allowed, "another thing was measured"
    return file.stat().st_size, read, max(seconds for _, seconds in waits), idle


if __name__ == "__main__":
    main()

"""Time and peak memory of ``edgeauth report`` on a million decisions.

Run by ``make bench-report``. Writes RESULTS-report.md, and the same into docs/operating.md.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
from report import machine
from support.decision_logs import write_decisions

SIZES = (100_000, 1_000_000)


def main() -> None:
    """Print a line for each size, and keep them."""
    lines = ["decisions        file    CPU time  peak memory    page"]
    print(lines[0])
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            log, page = Path(folder, "decisions.jsonl"), Path(folder, "page.html")
            write_decisions(log, size)
            stored = log.stat().st_size
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "edgeauth", "report", log, "--html", page]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            memory, written = after.ru_maxrss >> 10, page.stat().st_size >> 10
            lines.append(
                f"{size:>9,}  {stored >> 20:>6} MB  {seconds:>7.1f} s  {memory:>8} MB"
                f"  {written:>4} KB"
            )
            print(lines[-1])
    table = "".join(f"    {line}\n" for line in lines)
    figures.REPORT.write_text(
        f"# edgeauth report, measured\n\nWritten by `make bench-report`. {machine(())}\n\n{table}",
        "utf-8",
    )
    figures.rewrite()


if __name__ == "__main__":
    main()

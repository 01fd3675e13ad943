"""``make bench-service``: nginx with the decision service, beside the alternatives.

Requests per second for a small static file, through one nginx, each variant as a ratio to the
same nginx with no auth. Rounds go through all variants in turn, so that a noisy machine is
noisy for all of them. Then the memory of one worker over many different values.

Prints the table and writes it to benchmarks/RESULTS-service.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from service_stores import signed_fields, signed_service, stores_and_workers
from support.processes import HOST, free_port, running, wait_until
from support.proxies import nginx_binary
from support.service import SECRET, Service, question, serving, short_folder
from support.wire import answers, converse

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIANTS = Path(__file__).parent / "service_variants"
RESULTS = Path(__file__).parent / "RESULTS-service.md"

NAMES = {
    "none": "no auth",
    "return": "nginx `return 204`",
    "edgeauth": "edgeauth serve",
    "bare": "bare uvicorn 204",
    "njs": "njs, verifies, tells and counts inside nginx",
    "flask": "Flask under gunicorn",
    "signed": "edgeauth serve, memory store",
    "njs-signed": "njs, the same with a shared dict",
}

# Which variants are measured under a load: what is compared is measured one after the other.
LOADS = {
    "repeated": ("none", "return", "edgeauth", "bare", "njs", "flask"),
    "different": ("none", "edgeauth", "bare", "njs", "flask"),
    "signed": ("none", "signed", "bare", "njs-signed"),
}
VERIFYING = ("edgeauth", "njs", "flask", "signed", "njs-signed")

# What must hold: ours, under a load, against another variant.
TARGETS = (
    ("edgeauth", "repeated", "bare", 0.95),
    ("edgeauth", "repeated", "njs", 1.3),
    ("edgeauth", "repeated", "flask", 5.0),
    ("edgeauth", "different", "bare", 0.85),
    ("edgeauth", "different", "njs", 1.3),
    ("signed", "signed", "bare", 0.75),
    ("signed", "signed", "njs-signed", 1.3),
)
TOLD = {
    "repeated": "Edge-Auth values that repeat",
    "different": "Edge-Auth values, all different",
    "signed": "message signatures, each good once",
}

POPS = 20
DIFFERENT = 150_000
MOST_A_SECOND = 35_000


@dataclass
class Variant:
    """A port of nginx, and the process that it asks, if it is another one.

    Attributes:
        rates: requests per second, one a round, by load.
        cpu: microseconds of the asked process per request, by load.
        nginx_cpu: those of nginx.
    """

    port: int
    pid: int | None = None
    nginx_pid: int | None = None
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    nginx_cpu: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, load: str) -> float | None:
        return statistics.median(self.rates[load]) if load in self.rates else None


def main() -> int:
    """Run the benchmark, several times in a row; 0 if the targets hold each time."""
    options, runs = _options(), []
    for number in range(1, options.runs + 1):
        print(f"run {number} of {options.runs}", file=sys.stderr)
        runs.append(_run(options, number))
    text = "\n".join([*_head(options), *(text for text, _ in runs)])
    print(text)
    RESULTS.write_text(text, "utf-8")
    return 0 if all(held for _, held in runs) else 1


def _run(options: argparse.Namespace, run: int) -> tuple[str, bool]:
    """The report of one run, and whether the targets hold."""
    with short_folder() as folder, _variants(folder, options) as (variants, service):
        for name, variant in variants.items():
            _check(name, variant)
        for number in range(1, options.rounds + 1):
            for load, names in LOADS.items():
                for name in names:
                    measure(variants[name], load, folder, options)
            print(f"round {number} of {options.rounds}", file=sys.stderr)
        memory = _memory(service, options.memory_requests)
    stores = stores_and_workers(options, Variant, measure)
    return _report(run, variants, memory, stores)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2, help="in a row: the lines hold in each")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    # One of nginx beside the one process that it asks: two cores, and no variant gets more.
    parser.add_argument("--nginx-workers", type=int, default=1)
    parser.add_argument("--memory-requests", type=int, default=300_000)
    return parser.parse_args()


# --- what is measured


@contextlib.contextmanager
def _variants(
    folder: Path, options: argparse.Namespace
) -> Iterator[tuple[dict[str, Variant], Service]]:
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("x" * 512)
    variants = {name: Variant(free_port()) for name in NAMES}
    text = (VARIANTS / "nginx.conf").read_text("utf-8")
    filled = {"FOLDER": folder, "VARIANTS": VARIANTS, "WORKERS": options.nginx_workers}
    filled |= {name: variant.port for name, variant in variants.items()}
    for name, value in filled.items():
        text = text.replace(f"@{name}@", str(value))
    config = folder / "nginx.conf"
    config.write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    environ = {"BENCH_SECRET": SECRET}
    bare = ["uvicorn", "bare:app", "--uds", f"{folder}/bare.sock", "--loop=uvloop"]
    bare += ["--http=httptools", "--no-access-log", "--log-level=warning", "--lifespan=off"]
    bare += ["--timeout-keep-alive=75"]
    flask = ["gunicorn", "flask_view:app", f"--bind=unix:{folder}/flask.sock", "--threads=4"]
    flask += ["--keep-alive=75"]
    nginx = [nginx_binary(), "-p", folder, "-c", config, "-g", f"daemon off; {user}"]
    with (
        serving(folder=folder) as service,
        signed_service(folder / "signed") as signed,
        _python(bare, folder, "bare", environ) as bare_pid,
        _python(flask, folder, "flask", environ) as flask_pid,
        running(
            nginx, address=(HOST, variants["none"].port), log=folder / "nginx.log", env=environ
        ) as asking,
    ):
        for variant in variants.values():
            variant.nginx_pid = _worker(asking.pid)
        variants["edgeauth"].pid = service.children()[0]
        variants["signed"].pid = signed.children()[0]
        variants["bare"].pid = bare_pid
        variants["flask"].pid = _worker(flask_pid)
        yield variants, service


@contextlib.contextmanager
def _python(module: list[str], folder: Path, name: str, environ: dict[str, str]) -> Iterator[int]:
    argv = [sys.executable, "-m", *module]
    with running(
        argv,
        address=f"{folder}/{name}.sock",
        log=folder / f"{name}.log",
        cwd=VARIANTS,
        env=environ,
    ) as process:
        yield process.pid


def _worker(pid: int) -> int:
    """The one child of a supervisor, once it is there."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: bool(children.read_text()), what="the worker")
    return int(children.read_text().split()[0])


def _check(name: str, variant: Variant) -> None:
    """A variant that does not do its work must not be measured."""
    if "signed" in name:
        good = signed_fields()
        asked = [good, good, {**good, "Signature": good["Signature"].swapcase()}]
        expected = [200, 403, 403]
    else:
        signed = [edgeauth.sign(secret, pop="LHR") for secret in (SECRET, "x" * 16)]
        asked = [{"Edge-Auth": value} for value in signed]
        expected = [200, 403] if name in VERIFYING else [200, 200]
    statuses = [
        answers(
            converse(
                (HOST, variant.port),
                question(*fields.items(), target="/index.html"),
            ),
            ("GET",),
        )[0].status
        for fields in asked
    ]
    assert statuses == expected, f"{name}: {statuses}"


# --- measuring


def _sent(load: str, options: argparse.Namespace) -> list[dict[str, str]]:
    """What an edge would send now: one value a POP; or none twice."""
    if load == "signed":
        # More than can be asked about: the second of one would be refused.
        return [signed_fields() for _ in range(int(options.seconds * MOST_A_SECOND))]
    count = POPS if load == "repeated" else DIFFERENT
    now = int(time.time())
    return [
        {"Edge-Auth": edgeauth.sign(SECRET, pop=f"P{number}", timestamp=now)}
        for number in range(count)
    ]


def measure(variant: Variant, load: str, folder: Path, options: argparse.Namespace) -> None:
    """Measure *variant* once."""
    sent = _sent(load, options)
    before, nginx_before = _cpu_seconds(variant.pid), _cpu_seconds(variant.nginx_pid)
    if shutil.which("wrk"):
        requests, seconds = _wrk(variant.port, sent, folder, options)
    else:
        requests, seconds = asyncio.run(_own_client(variant.port, sent, options))
    variant.rates.setdefault(load, []).append(requests / seconds)
    used = _cpu_seconds(variant.pid) - before
    variant.cpu.setdefault(load, []).append(used / requests * 1e6)
    used = _cpu_seconds(variant.nginx_pid) - nginx_before
    variant.nginx_cpu.setdefault(load, []).append(used / requests * 1e6)


def _wrk(
    port: int, sent: list[dict[str, str]], folder: Path, options: argparse.Namespace
) -> tuple[int, float]:
    file = folder / "values"
    pairs = (("\t".join(f"{name}\t{fields[name]}" for name in fields)) for fields in sent)
    file.write_text("\n".join(pairs) + "\n")
    argv = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds:g}s"]
    argv += ["-s", str(VARIANTS / "values.lua"), f"http://{HOST}:{port}/index.html"]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "BENCH_VALUES": str(file)},
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    count = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert count, done.stdout
    assert rate, done.stdout
    return int(count[1]), int(count[1]) / float(rate[1])


async def _own_client(
    port: int, fields: list[dict[str, str]], options: argparse.Namespace
) -> tuple[int, float]:
    """Keep-alive connections in one process: slower than wrk, the same for all variants."""
    sent = [question(*each.items(), target="/index.html", close=False) for each in fields]
    started = time.perf_counter()
    until = started + options.seconds

    async def converse_on(place: int) -> int:
        reader, writer = await asyncio.open_connection(HOST, port)
        count = 0
        while time.perf_counter() < until:
            writer.write(sent[(place + count * options.connections) % len(sent)])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length, head
            await reader.readexactly(int(length[1]))
            count += 1
        writer.close()
        return count

    counts = await asyncio.gather(*map(converse_on, range(options.connections)))
    return sum(counts), time.perf_counter() - started


def _cpu_seconds(pid: int | None) -> float:
    if pid is None:
        return 0.0
    # Not /proc/PID/stat, which counts in hundredths of a second.
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def _memory(service: Service, requests: int) -> list[tuple[int, int]]:
    """Resident KiB of the worker after so many requests, no value twice."""
    pid = service.children()[0]
    seen = [(0, _resident(pid))]
    step = max(1, requests // 10)
    for first in range(0, requests, step):
        now = int(time.time())
        last = min(first + step, requests)
        asyncio.run(_ask_all(str(service.address), first, last, now))
        seen.append((last, _resident(pid)))
    return seen


async def _ask_all(path: str, first: int, last: int, now: int) -> None:
    """One connection, a hundred questions at a time."""
    reader, writer = await asyncio.open_unix_connection(path)
    for start in range(first, last, 100):
        numbers = range(start, min(start + 100, last))
        values = [edgeauth.sign(SECRET, pop=f"M{number}", timestamp=now) for number in numbers]
        writer.write(b"".join(question(("Edge-Auth", v), close=False) for v in values))
        for _ in values:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 204 "), head
    writer.close()


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


# --- the report


def _head(options: argparse.Namespace) -> list[str]:
    return [
        "# The decision service, measured",
        "",
        "Written by `make bench-service`. " + _machine(),
        "",
        (
            f"Client: {_client()}, {options.connections} connections; {options.rounds} rounds of "
            f"{options.seconds:g} s a variant, medians. Requests per second through nginx "
            f"(worker_processes {options.nginx_workers}; whatever is asked has one process too) "
            "for a file of 512 bytes, and their ratio to no auth."
        ),
        "",
    ]


def _report(
    run: int, variants: dict[str, Variant], memory: list[tuple[int, int]], stores: list[str]
) -> tuple[str, bool]:
    verdicts = list(_verdicts(variants))
    lines = [
        f"## Run {run}",
        "",
        "| variant | "
        + " | ".join(TOLD.values())
        + " | µs of CPU per request: nginx + who is asked |",
        "|---|---|---|---|---|",
        *(_row(name, variant, variants["none"]) for name, variant in variants.items()),
        "",
        *verdicts,
        "",
        *stores,
        "",
        "Resident memory of one worker, no value twice:",
        "",
        "| requests | KiB |",
        "|---|---|",
        *(f"| {count:,} | {resident:,} |" for count, resident in memory),
        "",
    ]
    return "\n".join(lines), all(line.startswith("- holds") for line in verdicts)


def _row(name: str, variant: Variant, base: Variant) -> str:
    cells = [NAMES[name]]
    for load in LOADS:
        rate, whole = variant.rate(load), base.rate(load)
        cells.append(f"{rate:,.0f} ({rate / whole:.2f})" if rate and whole else "")
    used = [
        f"{statistics.median(variant.nginx_cpu[load]):.0f} + "
        f"{statistics.median(variant.cpu[load]):.0f} ({load})"
        for load in LOADS
        if load in variant.cpu
    ]
    return f"| {' | '.join([*cells, ', '.join(used)])} |"


def _verdicts(variants: dict[str, Variant]) -> Iterator[str]:
    """Ratios, each the median of the rounds' ratios."""
    for ours, load, other, least in TARGETS:
        # What does not look at the value is the same under every load.
        theirs = variants[other].rates.get(load) or variants[other].rates["repeated"]
        ratios = [a / b for a, b in zip(variants[ours].rates[load], theirs, strict=True)]
        ratio = statistics.median(ratios)
        word = "holds" if ratio >= least else "FAILS"
        yield f"- {word}: {TOLD[load]}: {ratio:.2f} of {NAMES[other]}, must be {least}"


def _machine() -> str:
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    nginx = subprocess.run(
        [nginx_binary(), "-v"], capture_output=True, text=True, check=True
    ).stderr.strip()
    packages = ", ".join(
        f"{name} {version(name)}"
        for name in ("uvicorn", "uvloop", "httptools", "flask", "gunicorn")
    )
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {model[1] if model else '?'}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"{nginx.removeprefix('nginx version: ')}, {packages}, "
        f"edgeauth {edgeauth.__version__}."
    )


def _client() -> str:
    if not shutil.which("wrk"):
        return "the benchmark's own"
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)  # noqa: S607
    return " ".join(said.stdout.split()[:2])


if __name__ == "__main__":
    sys.exit(main())

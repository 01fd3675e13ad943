"""systemd, booted in namespaces of its own with the units of a test and nothing of this machine's.

It is process 1 there, so it does all that it does elsewhere: credentials, users that exist while a
unit runs, sockets, and every line of a unit that confines.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.processes import wait_until
from support.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYSTEMD = Path("/usr/lib/systemd/systemd")
PYTHON = Path("/usr/bin/python3.11")
# What default dependencies name, and is nothing here.
_TARGETS = ("sysinit", "basic", "sockets", "shutdown", "multi-user", "network", "paths", "timers")

# Nothing is mounted, written or moved outside: the mounts are private, /etc and /opt are layers
# in memory, what is the whole machine's (settings of the kernel, devices) is read-only.
_BOOT = """
set -eu
folder=$1 start=$2
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t overlay -o "lowerdir=/etc,upperdir=$folder/etc,workdir=$folder/work" overlay /etc
mount --bind "$folder/opt" /opt
for pair in $3; do
    mount --bind "${pair%%:*}" "${pair#*:}"
done
mount -t tmpfs tmpfs /run
mkdir /run/shared
mount --bind "$folder/run" /run/shared
for place in /tmp /var/tmp /var/lib /var/cache /var/log; do
    mount -t tmpfs tmpfs "$place"
done
# What a unit's mounts come through.
mount --make-rshared /
exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH="/etc/units" \\
    SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere \\
    /usr/lib/systemd/systemd --system --unit="$start" --log-target=console --log-color=no
"""


def require_systemd() -> None:
    """End the test where systemd cannot be booted."""
    program("systemd-analyze", package="systemd")
    if os.geteuid() != 0 or not SYSTEMD.exists():
        pytest.skip("systemd is booted by root, and where it is installed")
    if sys.version_info[:2] != (3, 11) or not PYTHON.exists():
        pytest.skip("a unit sees no home directory: it needs Debian's Python 3.11")
    if not Path("/sys/fs/cgroup/systemd").is_dir():
        pytest.skip("the control groups of this machine are not those that the test mounts")


class Booted:
    """A running systemd.

    Attributes:
        run: its folder /run/shared, seen from here.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder = process, folder
        self.run = folder / "run"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def wait_until_active(self, unit: str) -> None:
        """Until *unit* says that it is ready."""

        def active() -> bool:
            assert self._process.poll() is None, self.log
            state = self._systemctl("is-active", unit).stdout.strip()
            assert state != "failed", self._systemctl("status", "--no-pager", unit).stdout
            return state == "active"

        wait_until(active, what=unit)

    def systemctl(self, *words: str) -> str:
        """What it prints; an error with its log if it fails."""
        done = self._systemctl(*words)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self.log}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Puts *text* into a file, as root does."""
        done = self._inside("tee", path, given=text)
        assert done.returncode == 0, done.stderr

    def _systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._inside("systemctl", *words)

    def _inside(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        pid = self._process.pid
        # None as long as unshare has not forked; nsenter then says so.
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().strip() or "0"
        nsenter = program("nsenter", package="util-linux")
        return subprocess.run(
            [nsenter, "--target", child, "--mount", "--pid", *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


@contextlib.contextmanager
def booted(
    folder: Path,
    start: str,
    units: Mapping[str, str],
    files: Mapping[str, str],
    opt: Mapping[str, Path],
) -> Iterator[Booted]:
    """Boot systemd, until the block ends.

    Args:
        folder: an empty one.
        start: the unit to start.
        units: the text of each unit.
        files: the text of files in /etc and /opt, by path; those in bin may be run.
        opt: folders of this machine that are mounted below /opt.
    """
    for name in ("etc/units", "work", "opt", "run"):
        (folder / name).mkdir(parents=True)
    (folder / "opt").chmod(0o755)
    stubs = {f"{name}.target": "[Unit]\nDescription=nothing\n" for name in _TARGETS}
    for name, text in {**stubs, **units}.items():
        (folder / "etc" / "units" / name).write_text(text)
    for path, text in files.items():
        made = folder / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text)
        made.chmod(
            0o755 if made.parent.name == "bin" else 0o600 if "edge-secrets" in path else 0o644
        )
    for name in opt:
        (folder / "opt" / name).mkdir(parents=True)
    pairs = " ".join(f"{path}:/opt/{name}" for name, path in opt.items())
    unshare = [program("unshare", package="util-linux"), "--fork", "--kill-child", "--pid"]
    kinds = ["--mount", "--uts", "--ipc", "--net", "--cgroup"]
    with _own_group(), (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*unshare, *kinds, "sh", "-c", _BOOT, "-", folder, start, pairs],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            machine = Booted(process, folder)
            for unit in units:
                if unit in units[start]:
                    machine.wait_until_active(unit)
            yield machine
        finally:
            process.kill()
            process.wait(10)


@contextlib.contextmanager
def _own_group() -> Iterator[None]:
    """This process in a control group of its own: the root of what is started meanwhile."""
    group = Path(f"/sys/fs/cgroup/systemd/edgeauth-test-{os.getpid()}")
    group.mkdir()
    members = "cgroup.procs"
    (group / members).write_text(str(os.getpid()))
    try:
        yield
    finally:
        (group.parent / members).write_text(str(os.getpid()))
        wait_until(lambda: not list(group.rglob(members)) or _removed(group), what="its end")


def _removed(group: Path) -> bool:
    """Whether *group* and those below it are gone."""
    for folder in sorted(group.rglob("*"), reverse=True):
        if folder.is_dir():
            with contextlib.suppress(OSError):
                folder.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()

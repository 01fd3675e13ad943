"""Makes this process one as on another system: what that lacks is taken away.

It is to be done before edgeauth is imported. What the standard library and the frameworks do
themselves on each system is theirs: they are imported first. Only a process of its own may be
changed so.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import logging.handlers
import multiprocessing
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

IMPORTED = (asyncio, concurrent.futures, logging.handlers, multiprocessing, shutil, sqlite3)
IMPORTED += (subprocess, tempfile)

# As every program has one there; made now, since that of this system needs what is taken away.
LOOP = asyncio.new_event_loop()

# Where the documentation of Python says "Availability: Unix", of what this package could use.
NOT_ON_WINDOWS = {
    os: "fork forkpty register_at_fork fchmod fchown chown lchown getuid geteuid getgid getegid "
    "getgroups setuid setgid setsid killpg pread pwrite preadv pwritev sendfile mkfifo uname "
    "sysconf getloadavg sched_getaffinity posix_fallocate memfd_create eventfd pidfd_open pipe2 "
    "waitid WNOHANG WIFEXITED WEXITSTATUS wait3 wait4 set_blocking ttyname statvfs fchdir sync "
    "O_CLOEXEC O_NONBLOCK O_NOCTTY O_DIRECTORY O_NOFOLLOW O_SYNC O_DSYNC O_PATH O_TMPFILE",
    signal: "SIGHUP SIGCHLD SIGALRM SIGUSR1 SIGUSR2 SIGPIPE SIGKILL SIGQUIT pthread_sigmask alarm "
    "setitimer siginterrupt sigwait sigtimedwait SIG_BLOCK SIG_UNBLOCK",
    socket: "AF_UNIX MSG_DONTWAIT MSG_NOSIGNAL SO_REUSEPORT SOCK_CLOEXEC SOCK_NONBLOCK SCM_RIGHTS "
    "send_fds recv_fds CMSG_SPACE CMSG_LEN SO_PEERCRED",
    select: "poll POLLIN POLLOUT",
    time: "clock_gettime clock_gettime_ns CLOCK_MONOTONIC tzset pthread_getcpuclockid",
}
NO_MODULES_ON_WINDOWS = ("fcntl", "resource", "pty", "tty", "termios", "pwd", "grp", "syslog")

NOT_ON_MACOS = {
    os: "sched_getaffinity posix_fallocate memfd_create eventfd pidfd_open pipe2 O_PATH O_TMPFILE",
    socket: "SOCK_CLOEXEC SOCK_NONBLOCK SO_PEERCRED MSG_NOSIGNAL",
}


def windows(*frameworks: str) -> None:
    _take_away(NOT_ON_WINDOWS, NO_MODULES_ON_WINDOWS, frameworks)


def macos(*frameworks: str) -> None:
    _take_away(NOT_ON_MACOS, (), frameworks)


def _take_away(names, modules, frameworks) -> None:
    for framework in frameworks:
        importlib.import_module(framework)
    if any(name.startswith("edgeauth") for name in sys.modules):
        raise RuntimeError("edgeauth was imported before anything was taken away")
    for module, lost in names.items():
        for name in lost.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in modules:
        sys.modules[name] = None

"""What importing edgeauth brings with it."""

from __future__ import annotations

import subprocess
import sys

_LIST = """
import sys
before = set(sys.modules)
import edgeauth
print(*sorted(set(sys.modules) - before))
"""

# The network clients of the standard library, and the event loop.
_NETWORK = {"http.client", "urllib.request", "ftplib", "smtplib", "ssl", "asyncio", "imaplib"}


def test_the_core_imports_the_standard_library_and_itsdangerous_and_no_network_client():
    listed = subprocess.run(
        [sys.executable, "-I", "-c", _LIST], capture_output=True, text=True, check=True
    )
    imported = set(listed.stdout.split())
    packages = {name.partition(".")[0] for name in imported}
    assert packages - sys.stdlib_module_names == {"edgeauth", "itsdangerous"}
    assert not imported & _NETWORK

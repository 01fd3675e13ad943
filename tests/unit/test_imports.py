"""What importing edgeauth brings with it, and when."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import edgeauth
import edgeauth.public

# Prints the modules that the code imports beyond what the set-up has imported.
_LIST = """
import sys
{setup}
before = set(sys.modules)
{code}
print(*sorted(set(sys.modules) - before))
"""

# The network clients of the standard library, and the event loop.
_NETWORK = {"http.client", "urllib.request", "ftplib", "smtplib", "ssl", "asyncio", "imaplib"}

_NOW = 1_700_000_000
_OLD, _NEW, _PASS = (f"the {which} secret, never printed" for which in ("elder", "newer", "third"))

# Says the reason of a verdict; the set-up of the guard stands before it, and imports no more
# than an app has to.
_REASON = f"""
import time, types

def reason(*values, path="/", peer="192.0.2.1", by_pass=(), later=0):
    fields = {{"Edge-Auth": values, "Edge-Auth-Pass": by_pass, "X-Forwarded-For": [b"192.0.2.9"]}}
    request = types.SimpleNamespace(
        method="GET", path=path, target=path.encode(), host=b"example.com",
        peer=peer, unix=False, mount="", mount_is_configured=False, handshake=False,
        header=lambda name: fields[name],
    )
    return guard.check(request, now={_NOW} + later).reason
"""


def _printed(code: str) -> set[str]:
    """The words that *code* prints in a fresh interpreter."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def _imported(code: str, setup: str = "") -> set[str]:
    """The modules that *code* imports in a fresh interpreter, after *setup*."""
    return _printed(_LIST.format(setup=setup, code=code))


def _signed(secret: str, after: int = 0) -> bytes:
    return edgeauth.sign(secret, pop="LHR", timestamp=_NOW + after).encode()


def test_the_core_imports_the_standard_library_and_itsdangerous_and_no_network_client():
    imported = _imported("from edgeauth import *")
    packages = {name.partition(".")[0] for name in imported}
    assert packages - sys.stdlib_module_names == {"edgeauth", "itsdangerous"}
    assert not imported & _NETWORK


def test_importing_the_package_imports_nothing_of_it_until_a_public_name_is_used():
    assert {name for name in _imported("import edgeauth") if "edgeauth" in name} == {"edgeauth"}
    assert "edgeauth.guard" in _imported("import edgeauth; edgeauth.sign")


def test_the_first_use_of_a_public_name_leaves_no_import_for_the_others():
    assert _imported("from edgeauth import *", setup="import edgeauth; edgeauth.Key") == set()


def test_a_command_that_signs_loads_neither_the_guard_nor_what_it_alone_needs():
    sign = "from edgeauth.ops.cli.sign import command; command.main([], standalone_mode=False)"
    setup = "import contextlib, io, os, click; os.environ['EDGEAUTH_SECRET'] = 's' * 40"
    imported = _imported(f"with contextlib.redirect_stdout(io.StringIO()):\n  {sign}", setup)

    assert "edgeauth.schemes.edge_auth" in imported
    assert not imported & {
        "edgeauth.public",
        "edgeauth.guard",
        "edgeauth.addresses",
        "edgeauth.passes",
        "socket",
        "pathlib",
        "logging",
        "difflib",
        "urllib.parse",
        "importlib.metadata",
        "edgeauth.ops.schemes.edge_auth.explain",
        "edgeauth.ops.schemes.edge_auth.attacks",
    }


def test_a_guard_has_imported_all_that_its_decisions_need(tmp_path):
    secrets, addresses, revoked = (str(tmp_path / name) for name in ("keys", "list", "revoked"))
    Path(secrets).write_text(f"old:{_OLD}\n", "utf-8")
    document = {"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}
    Path(addresses).write_text(json.dumps(document), "utf-8")
    Path(revoked).write_text("", "utf-8")
    settings = {
        "secrets_file": secrets,
        "addresses": addresses,
        "trusted_proxies": ["2001:db8::/32"],
        "exempt": ["GET /healthz"],
        "pass_secret": _PASS,
        "revoked_passes_file": revoked,
        "decisions": str(tmp_path / "decisions"),
        "watch_interval": 0.01,
    }
    visa, _ = edgeauth.Passes(_PASS).issue("ops", ttl=600, now=_NOW)
    checks = f"""
assert reason({_signed(_OLD)}) == "ok"
assert reason(path="/healthz") == "exempt"
assert reason(by_pass=[{visa.encode()}]) == "pass"
assert reason(by_pass=[b"e30.forged"]) == "missing"
assert reason({_signed(_OLD)}, peer="2001:db8::1") == "ok"
assert reason({_signed(_OLD)}, peer="198.51.100.1") == "address"
assert reason() == "missing"
assert reason(b"one", b"two") == "malformed"
assert reason(b"\\xff") == "malformed"
assert reason({_signed(_NEW)}) == "bad-signature"
assert reason({_signed(_OLD, -3600)}) == "expired"
assert reason({_signed(_OLD, 3600)}) == "future"

# What changes meanwhile, for the better or the worse, is read from the request path.
for name, text in [({secrets!r}, "new:{_NEW}"), ({addresses!r}, "{{}}"), ({revoked!r}, "\\0")]:
    with open(name, "w") as file:
        file.write(text)
end, later = time.monotonic() + 30, 1
while reason({_signed(_NEW)}, later=later) != "ok":
    assert time.monotonic() < end
    time.sleep(0.01)
    later = 1 - later  # any move of the clock makes it look
"""
    build = f"from edgeauth.guard import Guard; guard = Guard.from_settings({settings})"
    assert _imported(checks, setup=build + _REASON) == set()


def test_a_guard_for_a_shared_secret_has_imported_all_that_its_decisions_need():
    settings = {"secret": _OLD, "scheme": "shared-secret"}
    checks = f"""
assert reason({_OLD.encode()}) == "ok"
assert reason({_NEW.encode()}) == "bad-signature"
assert reason() == "missing"
"""
    build = f"from edgeauth.guard import Guard; guard = Guard.from_settings({settings})"
    assert _imported(checks, setup=build + _REASON) == set()


def test_the_package_is_seen_to_have_the_public_names_before_one_is_used():
    public = set(edgeauth.public.__all__)

    assert public <= _printed("import edgeauth; print(*dir(edgeauth))")
    assert public <= _printed("from edgeauth import *; print(*vars())")


def test_the_package_has_the_objects_that_are_published_and_lists_them():
    assert edgeauth.__all__ == edgeauth.public.__all__
    assert set(edgeauth.__all__) <= set(dir(edgeauth))
    for name in edgeauth.public.__all__:
        assert getattr(edgeauth, name) is getattr(edgeauth.public, name)
        assert name in vars(edgeauth)


def test_what_is_imported_for_the_public_names_is_published_and_nothing_else():
    tree = ast.parse(Path(edgeauth.public.__file__).read_text("utf-8"))
    imported = [
        alias.asname or alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    ]

    assert sorted(imported) == edgeauth.__all__


@pytest.mark.parametrize("name", ["Gaurd", "__wrapped__"])
def test_a_misspelled_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"^module 'edgeauth' has no attribute '{name}'$"):
        getattr(edgeauth, name)


def test_a_file_of_the_core_is_an_attribute_at_once():
    assert _printed("import edgeauth; print(edgeauth.errors.Expired.__name__)") == {"Expired"}


def test_an_adapter_is_no_attribute_until_it_is_imported():
    look = "print(hasattr(edgeauth, 'asgi'))"

    assert _printed(f"import edgeauth; {look}") == {"False"}
    assert _printed(f"import edgeauth.asgi; {look}") == {"True"}

"""Each clause that keeps somebody out has a test that fails without it.

A clause is removed from a copy of the package, and the tests of that part run against the
copy. They must fail; that they pass on an unchanged copy is a test here too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import edgeauth

PACKAGE = Path(edgeauth.__file__).parent
TESTS = Path(__file__).parents[1]

ADAPTERS = ("unit/test_asgi.py", "unit/test_wsgi.py")
GUARD = ("unit/test_guard.py",)
INNER = ("unit/test_inner_gates.py",)
RECALL = ("unit/test_recall.py",)
SCHEME = ("unit/schemes/test_edge_auth.py",)


@dataclass(frozen=True)
class Removal:
    """A clause, what the code is without it, and the tests that must miss it."""

    clause: str
    file: str
    edits: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


REMOVALS = [
    Removal(
        # Both at once: the form and the comparison each hold the signature to its length.
        "a signature is compared in its full length",
        "schemes/edge_auth.py",
        (
            ("(.{64})|(.{44})", "(.{1,64})|(.{44})"),
            ("compare_digest(hexlify(mac), in_hex)", "hexlify(mac).startswith(in_hex)"),
        ),
        SCHEME,
    ),
    Removal(
        "a signature of the right length is compared",
        "schemes/edge_auth.py",
        (("if compare_digest(hexlify(mac), in_hex):", "if in_hex:"),),
        SCHEME,
    ),
    Removal(
        "a value from the future is refused",
        "schemes/edge_auth.py",
        (("if not opens <= now <= closes:", "if not now <= closes:"),),
        SCHEME,
    ),
    Removal(
        "an old value is refused",
        "schemes/edge_auth.py",
        (("if not opens <= now <= closes:", "if not opens <= now:"),),
        SCHEME,
    ),
    Removal(
        "a remembered value is refused when it is old",
        "schemes/edge_auth.py",
        (
            (
                "            if opens <= now <= closes:\n                return identity",
                "            return identity",
            ),
        ),
        SCHEME,
    ),
    Removal(
        "a POP that is not listed is refused",
        "schemes/edge_auth.py",
        (("self.pops is not None and name not in self.pops", "False"),),
        SCHEME,
    ),
    Removal(
        "two fields are refused where a POP is required",
        "schemes/edge_auth.py",
        (("if pop is None and self.require_pop:", "if False:"),),
        SCHEME,
    ),
    Removal(
        "a signed header that is there twice is refused",
        "schemes/edge_auth.py",
        (("if len(values) != 1:", "if not values:"),),
        SCHEME,
    ),
    Removal(
        "a shared secret that is there twice is refused",
        "schemes/shared_secret.py",
        (("if len(values) != 1:", "if not values:"),),
        ("unit/schemes/test_shared_secret.py",),
    ),
    Removal(
        "an empty or short secret is refused",
        "keys.py",
        (("if not MIN_SECRET_BYTES <= len(raw)", "if not 0 <= len(raw)"),),
        ("unit/test_keys.py",),
    ),
    Removal(
        "a denial is not to be stored",
        "guard.py",
        (('        ("cache-control", "no-store"),\n', ""),),
        (*GUARD, *ADAPTERS),
    ),
    Removal(
        "an exemption is of the exact path",
        "routes.py",
        (
            (
                "(route_method(request), request.path) in self.entries",
                "any(request.path.startswith(path) for path in self.paths)",
            ),
        ),
        GUARD,
    ),
    Removal(
        "an exemption is of the exact method",
        "routes.py",
        (
            (
                "(route_method(request), request.path) in self.entries",
                "request.path in self.paths",
            ),
        ),
        (*GUARD, *ADAPTERS),
    ),
    Removal(
        "an exemption counts at a configured mount point",
        "routes.py",
        (("self.entries and self._mounts.hold(request)", "self.entries"),),
        ("unit/test_mount_points.py",),
    ),
    Removal(
        "a pass for a path counts at a configured mount point",
        "passes.py",
        (("found.paths and not mounts.hold(request)", "False"),),
        ("unit/test_mount_points.py",),
    ),
    Removal(
        "a method that is literally WEBSOCKET is no handshake",
        "request.py",
        ((" or method == HANDSHAKE", ""),),
        ("unit/test_handshake.py",),
    ),
    Removal(
        "part of a handshake is none and no other request either",
        "request.py",
        (("None if opens is None or", "None if"),),
        ("unit/test_handshake.py",),
    ),
    Removal(
        "a verdict of a gate that asks for another proof is not taken",
        "guard.py",
        (("mine.proof == its.proof", "True"),),
        INNER,
    ),
    Removal(
        "an exemption of another gate is not taken",
        "guard.py",
        (("mine.other_ways_in == its.other_ways_in", "True"),),
        INNER,
    ),
    Removal(
        "what report-only let through opens no gate that enforces",
        "guard.py",
        (("if same and (verdict.enforced or not self._enforced)", "if same"),),
        INNER,
    ),
    Removal(
        "of a subclass no verdict is taken",
        "guard.py",
        (("type(self) is not Guard or type(guard) is not Guard", "False"),),
        INNER,
    ),
    Removal(
        "a value that was accepted before is not enough where an address counts",
        "guard.py",
        (("addresses is None and passes is None and self._file is None", "True"),),
        RECALL,
    ),
    Removal(
        "a guard of somebody else's is asked about every request",
        "guard.py",
        (("type(self) is Guard and", ""),),
        RECALL,
    ),
    Removal(
        "a scheme of somebody else's is asked about every request",
        "guard.py",
        (("or type(scheme) is not EdgeAuthScheme", ""),),
        RECALL,
    ),
    Removal(
        "an address that is not listed is refused",
        "guard.py",
        (("if address not in addresses:", "if False:"),),
        GUARD,
    ),
    Removal(
        "a decision that fails is a refusal",
        "guard.py",
        (("return self._refuse(request, error, moment)", "return _EXEMPT"),),
        GUARD,
    ),
    Removal(
        "X-Forwarded-For is walked from the right",
        "forwarded.py",
        (('in reversed(field.split(b","))', 'in field.split(b",")'),),
        ("unit/test_forwarded.py",),
    ),
    Removal(
        "an ASGI scope of an unknown type is refused",
        "asgi.py",
        (('if kind != "lifespan":', "if False:"),),
        ADAPTERS,
    ),
    Removal(
        "an ASGI app does not see the credential",
        "asgi.py",
        (('            inner["headers"] = rest\n', ""),),
        ADAPTERS,
    ),
    Removal(
        "a WSGI app does not see the credential",
        "wsgi.py",
        (("environ.pop(name, None)", "pass"),),
        ADAPTERS,
    ),
]


def test_the_tests_pass_on_an_unchanged_copy(tmp_path):
    tests = {test for removal in REMOVALS for test in removal.tests}
    copied(tmp_path)

    assert outcome_of(tmp_path, *sorted(tests)) == pytest.ExitCode.OK


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.clause)
def test_without_the_clause_a_test_fails(removal, tmp_path):
    copy = copied(tmp_path)
    source = (copy / removal.file).read_text("utf-8")
    for original, changed in removal.edits:
        assert source.count(original) == 1, f"{original!r} must be in {removal.file} once"
        source = source.replace(original, changed)
    (copy / removal.file).write_text(source, "utf-8")

    assert outcome_of(tmp_path, *removal.tests) == pytest.ExitCode.TESTS_FAILED


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(PACKAGE, folder / "edgeauth"))


def outcome_of(folder: Path, *tests: str) -> int:
    """How pytest ends on *tests* with the package that is in *folder*."""
    # Nothing but what these tests need: a start counts once for each clause.
    options = ("-x", "-q", "--noconftest", "-p", "no:cacheprovider", "--import-mode=importlib")
    done = subprocess.run(
        # -P: the working directory, which has the package too, is not looked at.
        [sys.executable, "-P", "-m", "pytest", "-c", os.devnull, f"--rootdir={TESTS}", *options]
        + [str(TESTS / test) for test in tests],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(TESTS)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, done.stdout
    return done.returncode

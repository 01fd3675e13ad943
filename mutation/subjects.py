"""The files that are mutated, and the tests that are to see it."""

from __future__ import annotations

# The tests of a file, the nearest first: the run of a mutant ends with the first that fails.
# What a test starts in a process of its own is without the mutant.
_SCHEMES = (
    "unit/schemes/test_edge_auth.py",
    "unit/schemes/test_shared_secret.py",
    "unit/test_guard.py",
    "unit/test_recall.py",
    "properties/test_hostile_bytes.py",
)
SUBJECTS = {
    "schemes/edge_auth.py": _SCHEMES,
    "schemes/shared_secret.py": _SCHEMES[1:],
    "schemes/base.py": _SCHEMES,
    "guard.py": (
        "unit/test_guard.py",
        "unit/test_boundary.py",
        "unit/test_inner_gates.py",
        "unit/test_mount_points.py",
        "unit/test_recall.py",
        "unit/test_passes.py",
        "unit/record/test_decision_file.py",
        "unit/reload/test_watched_policy.py",
        "unit/record/test_list_age.py",
        "properties/test_hostile_bytes.py",
    ),
    "keys.py": (
        "unit/test_keys.py",
        "unit/test_passes.py",
        "unit/settings/test_settings.py",
        "unit/reload/test_watched_policy.py",
        "properties/test_configuration.py",
    ),
    "addresses.py": (
        "unit/test_addresses.py",
        "unit/record/test_list_age.py",
        "properties/test_configuration.py",
    ),
    "forwarded.py": (
        "unit/test_forwarded.py",
        "unit/test_guard.py",
        "unit/test_passes.py",
        "properties/test_hostile_bytes.py",
    ),
}

"""Files that are replaced in one step."""

from __future__ import annotations

import stat

from edgeauth.ops.atomic_write import replace_file


def test_a_new_file_can_be_read_by_everybody_and_a_mode_stays(tmp_path):
    file = tmp_path / "list.json"
    replace_file(file, b"one")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"one", 0o644)
    file.chmod(0o600)
    replace_file(file, b"two")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"two", 0o600)

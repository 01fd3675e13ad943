"""What became of each mutant, kept between runs in .mutation/."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from subjects import SUBJECTS
from trial import PACKAGE, ROOT, TESTS, Fate

if TYPE_CHECKING:
    from mutants import Mutant

_FOLDER = ROOT / ".mutation"


class Kept:
    """The fates of the mutants of one file, as far as they are known.

    Those of another state of the file, of its tests or of these programs are forgotten. A change
    elsewhere is not looked at: delete the folder to begin anew.
    """

    def __init__(self, file: str) -> None:
        read = [PACKAGE / file, *(TESTS / test for test in SUBJECTS[file])]
        read += sorted(Path(__file__).parent.glob("*.py"))
        state = hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()
        self._path = _FOLDER / f"{file.replace('/', '.')}-{state[:16]}"
        self._fates: dict[str, Fate] = {}
        if self._path.exists():
            # The last line may be cut: the machine was switched off.
            whole = self._path.read_text("utf-8").rpartition("\n")[0]
            self._fates = {key: Fate[name] for key, name in map(json.loads, whole.splitlines())}

    def __contains__(self, mutant: Mutant) -> bool:
        return _key(mutant) in self._fates

    def __getitem__(self, mutant: Mutant) -> Fate:
        return self._fates[_key(mutant)]

    def __setitem__(self, mutant: Mutant, fate: Fate) -> None:
        self._fates[_key(mutant)] = fate
        _FOLDER.mkdir(exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([_key(mutant), fate.name]) + "\n")


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(mutant.source.encode()).hexdigest()[:24]

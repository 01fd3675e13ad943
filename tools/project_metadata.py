"""Gives the built package the address of the repository that it is built from: a hook of hatchling.

No file names that address, so a copy elsewhere never sends its users, or their reports of a
weakness, to another one. ``make reproducible`` hands it over in REPOSITORY_URL, which it takes from
the remote of the clone; without it the package has no addresses. A wheel that is made of the source
distribution has those of that one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "REPOSITORY_URL"

# A package index shows README.md without the files around it, and for good: at this version.
_FILE_OF_MAIN = re.compile(r"https://github\.com/[\w.-]+/edgeauth/(blob|tree)/main/")


def urls(repository: str) -> dict[str, str]:
    """The addresses of the project, by the names that package indexes know."""
    return {
        "Documentation": f"{repository}/tree/main/docs",
        "Source": repository,
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
        "Security": f"{repository}/security/policy",
    }


def readme(text: str, repository: str, version: str) -> str:
    """README.md where it is shown alone: its links lead to the files of this version."""
    return _FILE_OF_MAIN.sub(rf"{repository}/\1/v{version}/", text)


class ProjectMetadata(MetadataHookInterface):
    """What pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the addresses, and README.md as the description."""
        repository = os.environ.get(VARIABLE)
        text = Path(self.root, "README.md").read_text("utf-8")
        if repository:
            metadata["urls"] = urls(repository)
            text = readme(text, repository, metadata["version"])
        elif "readme" in metadata:
            return  # of the source distribution
        metadata["readme"] = {"content-type": "text/markdown", "text": text}

"""What several test folders share. On the path as ``support`` (see pyproject.toml)."""

"""What makes an edge sign requests, by its name: files below ``integrations/``."""

SNIPPETS: dict[str, str] = {}

"""Keys that are rotated under load, in every adapter."""

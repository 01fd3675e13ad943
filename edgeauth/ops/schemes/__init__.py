"""What an operator's tools know of each scheme, one folder a kind."""

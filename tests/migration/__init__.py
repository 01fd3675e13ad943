"""From one scheme to another under load, with no refused request."""

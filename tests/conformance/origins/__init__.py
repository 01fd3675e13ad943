"""The applications that the suite runs: each tells what it saw of the request."""

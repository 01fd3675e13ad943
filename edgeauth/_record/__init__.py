"""Passes on what was decided: the log, the file of decisions, the warning about an old list.

Each is an observer of the guard, so a failure here never changes a decision. It may import the
proof, ``posix`` and ``settings``. The plumbing, the service and the tools may import it.
"""

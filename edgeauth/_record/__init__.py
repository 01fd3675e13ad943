"""What was decided, passed on: the log, the file of decisions, and warnings about an old list.

Each is an observer of the guard, so a failure here never changes a decision. It imports the core
and the settings; ``build.py``, ``service/`` and ``ops/`` import it.
"""

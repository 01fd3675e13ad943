"""One suite, written once, for everything that puts the gate in front of an application.

``rows.py`` has what is sent and what must come of it, ``quirks.py`` where a server itself
answers or rewrites bytes, ``suite.py`` the tests, ``targets.py`` how each server is run,
``origins/`` the applications behind the gate.
"""

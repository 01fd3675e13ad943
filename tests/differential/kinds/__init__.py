"""The matrix of kinds: each scheme of a request or a token, behind each adapter and server.

``table.py`` has the kinds, an entry each; ``peers.py`` who else verifies one; ``by_asgi.py``,
``by_wsgi.py`` and ``site.py`` build the applications; ``grammar.py`` makes requests, signed and
then changed; ``judge.py`` says what may come of one; ``in_process.py`` asks through the servers'
parsers here, ``run.py`` is the command, and asks over sockets too.
"""

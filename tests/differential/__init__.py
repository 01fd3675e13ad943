"""The same raw request through every server's parser and every adapter.

``grammar.py`` makes requests, ``parsers.py`` has the servers' own parsers in this process,
``gates.py`` the adapters, which ``drive.py`` runs, ``reading.py`` a strict reading of the
bytes, ``compare.py`` what must hold, ``served.py`` the same over sockets, ``run.py`` the
command. ``corpus/`` keeps what was found, and what is worth sending in every run.

That is for edge-auth and shared-secret, with exemptions, passes and addresses; ``kinds/`` has
every other kind of scheme.

After T-Reqs (a grammar, then mutations of its trees and strings) and the HTTP Garden
(servers' known ways are written down, and whatever else differs is a finding).
"""

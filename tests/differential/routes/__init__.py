"""The route matrix: every server with real frameworks behind real gates, asked in raw bytes.

``table.py`` has the views, the exemptions and the gates; ``asgi_apps.py``, ``wsgi_apps.py`` and
``django_apps.py`` build them; ``grammar.py`` makes requests; ``judge.py`` says what may come of
one, by the names of the views alone, and knows nothing of the package; ``run.py`` is the command.
"""

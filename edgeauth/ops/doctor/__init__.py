"""Looks for set-ups that go wrong: one file a subject, each a function that returns findings.

Nothing here changes anything, and nothing asks the network but the clock check, which is told
whom to ask. It may import everything but ``ops/cli``. Only ``ops/cli`` may import it.
"""

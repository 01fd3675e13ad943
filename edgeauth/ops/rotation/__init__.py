"""Changes keys safely: edits the file of secrets, and sees which key is in use.

It may import the proof, the plumbing, ``ops/report`` and the shared files of ``ops``. Only
``ops/cli`` may import it.
"""

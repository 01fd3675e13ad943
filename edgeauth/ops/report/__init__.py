"""Answers, from a file of decisions, whether it is safe to enforce.

Lines are read (reading), counted in bounded memory (counting, summary), judged (conclusion) and
laid out once (tables), for the terminal and the page alike. It may import the proof and the
shared files of ``ops``. Only ``ops/cli`` and ``ops/rotation`` may import it.
"""

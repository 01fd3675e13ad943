"""Tries an origin from outside: as an attacker would, and as the edge does.

``wire`` sends exact bytes and reads the head of the answer, ``rows`` says what is sent and
what must come back, ``judge`` carries that out. It may import the proof, the service and
``ops/schemes``. Only ``ops/cli`` and ``ops/doctor`` may import it.
"""

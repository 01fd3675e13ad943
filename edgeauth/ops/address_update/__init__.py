"""Keeps an address list current: fetches, compares, writes, and hands it to other programs.

It may import the proof and the shared files of ``ops``. Only ``ops/cli`` and ``ops/jwks_update``
may import it: an app or the service reads the file that it writes.
"""

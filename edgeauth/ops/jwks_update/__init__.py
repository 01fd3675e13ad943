"""Keeps the key set of an issuer current: fetches, compares, writes.

It may import the proof and the shared files of ``ops``. Only ``ops/cli`` may import it: an app or
the service reads the file that it writes.
"""

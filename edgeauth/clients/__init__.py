"""Clients that sign their requests as the edge does, for tests and probes.

Each is imported from its own module, so that none needs the other's library. It may import
the proof and the plumbing. The tools may import it, and nothing that a request meets does.
"""

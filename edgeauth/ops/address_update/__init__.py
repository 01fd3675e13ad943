"""Keeps an address list file true: fetch, compare, write, and hand it to other programs.

Nothing here is imported by an app or by the service; they only read the file.
"""

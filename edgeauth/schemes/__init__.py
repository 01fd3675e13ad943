"""How a request proves that it came through the edge: one file a kind.

What a kind can set, how it verifies and how it signs stands in its file; :mod:`registry` says
which kinds there are, :mod:`any_of` joins several. They import keys, errors and the view of a
request; everybody else asks the registry.
"""

"""How a request proves that it came through the edge: one file a kind.

What a kind can set, how it verifies and how it signs stands in its file; :mod:`registry` says
which kinds there are, :mod:`any_of` joins several. It may import the proof: errors, keys, the
view of a request. Everybody may import it, and asks the registry for a kind.
"""

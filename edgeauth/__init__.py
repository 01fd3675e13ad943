"""Lets an origin answer its own CDN edge and nobody else.

The public names live here; ``edgeauth/public.py`` lists them. It may import the proof and the
plumbing: importing this package imports the standard library and itsdangerous, nothing more.
Everybody above the proof may import it; each adapter is imported from its own module.
"""

from typing import TYPE_CHECKING

__version__ = "0.2.0"

# The first use of a public name imports all of them. The command uses none: it takes what it
# needs from the files themselves, so that it answers sooner.
if TYPE_CHECKING:
    from edgeauth.public import *  # noqa: F403 - what public.py lists
else:
    # Out of the sight of type checkers: to them it would make every misspelled name a good one.
    from importlib import import_module

    def __getattr__(name: str) -> object:
        """Find what is not here yet; Python asks (PEP 562)."""
        public = import_module("edgeauth.public")
        here = globals()
        here.update((each, getattr(public, each)) for each in ("__all__", *public.__all__))
        try:
            # Of the list, or a file of the core, such as ``edgeauth.errors``: imported by now.
            return here[name]
        except KeyError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None

    def __dir__() -> list[str]:
        return sorted({*globals(), *import_module("edgeauth.public").__all__})

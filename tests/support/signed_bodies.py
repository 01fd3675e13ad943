"""What the applications of body_apps.py and their tests share.

Apart, since to import those applications sets Django up, once and for all.
"""

from __future__ import annotations

from edgeauth import Key

#: The variable that names the file of an application's notes.
NOTES = "NOTES_OF_BODIES"
KEY = Key("edge-1", "a-secret-that-signs-whole-bodies")
COMPONENTS = ("@method", "content-digest")

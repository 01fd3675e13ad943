"""Files that change while the app runs: watched, read anew, and handed on as a new policy.

``watched_file.py`` knows files and nothing of ours; ``watched_policy.py`` knows which ones the
settings name. It imports the core, the settings and the logger; ``build.py`` and ``service/``
import it.
"""

"""Files that change while the app runs: watched, read anew, and handed on as a new policy.

``watched_file.py`` knows files and nothing of ours; ``watched_policy.py`` knows which ones the
settings name. It may import the proof, ``settings`` and ``_record``. The plumbing, the service and
the tools may import it.
"""

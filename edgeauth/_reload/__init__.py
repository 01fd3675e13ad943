"""Files that change while the app runs: watched, read anew, and handed to the guard.

It may import the core and the settings. The guard is built with what it makes.
"""

"""``python -m support.uwsgi OPTIONS``: uWSGI, from whichever Python runs this."""

import sys

import pyuwsgi

if __name__ == "__main__":
    # It reads sys.argv itself, and its name in it.
    sys.argv[0] = "uwsgi"
    pyuwsgi.run()

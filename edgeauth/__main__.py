"""``python -m edgeauth`` is the command ``edgeauth``."""

from edgeauth.cli import main

if __name__ == "__main__":
    main(prog_name="edgeauth")

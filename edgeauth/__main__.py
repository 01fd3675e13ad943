"""``python -m edgeauth`` is the command ``edgeauth``."""

from edgeauth.ops.cli import main

if __name__ == "__main__":
    main(prog_name="edgeauth")

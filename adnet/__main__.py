"""``python -m adnet`` is the command ``adnet``."""

import sys

from adnet.cli import main

if __name__ == "__main__":
    sys.exit(main())

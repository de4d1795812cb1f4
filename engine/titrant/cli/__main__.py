"""``python -m titrant.cli``: the same as ``titrant``, where the script is not on the path."""

import sys

from titrant.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

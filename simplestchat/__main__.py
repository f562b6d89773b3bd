"""`python -m simplestchat` is the same as `simplestchat`."""

import sys

from simplestchat.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

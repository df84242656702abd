"""`python -m fake_server`: see `fake_server.cli`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())

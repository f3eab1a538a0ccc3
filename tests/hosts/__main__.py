"""`python -m tests.hosts`."""

import sys

from tests.hosts.program import main

if __name__ == "__main__":
    sys.exit(main())

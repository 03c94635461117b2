"""The operator's command line: ``venture <noun> <verb>``, or ``python starter.py``.

Where ``VENTURE_URL`` names a server it is a client of that one, under the person's own login.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line. An interrupt before it has asked for anything ends it as it ends any program."""
    try:
        if os.environ.get("VENTURE_URL"):
            from remote.app import main as ask

            ask()
        else:
            from cli.app import main as run

            run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

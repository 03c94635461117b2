"""The operator's command line: ``venture <noun> <verb>``, or ``python starter.py``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. An interrupt before it has asked for anything ends it as it ends any program."""
    try:
        from cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

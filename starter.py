"""The operator's command line: ``venture <noun> <verb>``, or ``python starter.py``."""

from __future__ import annotations

from cli.app import main

if __name__ == "__main__":
    main()

"""Serve a desk of the other side: what ``venture sandbox`` starts, with what it needs in its environment."""

from __future__ import annotations

import os
import sys

import uvicorn

from sandbox.desk import build_bank, build_signature_service
from sandbox.report import Reporter

DESKS = {"bank": build_bank, "signature": build_signature_service}


def main() -> None:
    """Serve until it is told to stop."""
    desk, port = sys.argv[1:]
    server, sender, secret, key = (os.environ[f"SANDBOX_{name}"] for name in ("SERVER", "SENDER", "SECRET", "KEY"))
    reporter = Reporter(server, sender, secret, key)
    uvicorn.run(DESKS[desk](reporter), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()

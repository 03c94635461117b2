# ruff: noqa: INP001 - people download it
"""Seal an application where no server sees it: ``python3 seal.py application.json``.

The file has the fields of docs/sealed.md, amounts in fen. Beside it comes FILE.sealed.json, which is to be kept secret
until the opening; the digest that is printed is what is handed in.
"""

import json
import secrets
import sys
from hashlib import sha256
from pathlib import Path

OTHERWISE = {"partners": [], "match_pledged": 0, "fields": [], "attachments": []}


def main() -> None:
    """Write the envelope and print its digest."""
    source = Path(sys.argv[1])
    application = OTHERWISE | json.loads(source.read_text("utf-8"))
    nonce = secrets.token_hex(16)
    sealed = json.dumps(application | {"nonce": nonce}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = sha256(sealed.encode()).hexdigest()
    envelope = {"application": application, "nonce": nonce, "digest": digest}
    source.with_suffix(".sealed.json").write_text(json.dumps(envelope, ensure_ascii=False, indent=1), "utf-8")
    sys.stdout.write(f"{digest}\n")


if __name__ == "__main__":
    main()

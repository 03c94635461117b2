# ruff: noqa: INP001 - people download it
"""Seal an application where no server sees it: ``python3 seal.py application.json``, with the limits of the round.

The file has the fields of docs/sealed.md, amounts in fen. Beside it comes FILE.sealed.json, which is to be kept secret
until the opening; the digest that is printed is what is handed in.
"""

import argparse
import json
import secrets
import sys
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

OTHERWISE = {"partners": [], "match_pledged": 0, "fields": [], "attachments": []}


REQUIRED = ("round", "organisation", "title", "requested")


def read_options() -> argparse.Namespace:
    """What is to be sealed, and what the round lets it ask."""
    parser = argparse.ArgumentParser(description="Seal an application; only its digest is handed in.")
    parser.add_argument("source", type=Path, help="the application, JSON")
    parser.add_argument("--cap", type=int, help="most that may be applied for, fen")
    parser.add_argument("--match", type=Decimal, default=Decimal(0), help="least match funding, percent of the budget")
    parser.add_argument("--alone", action="store_true", help="no joint applications")
    parser.add_argument("--fields", help="the fields that there are, separated by 、")
    return parser.parse_args()


def list_faults(application: "dict[str, Any]", options: argparse.Namespace) -> list[str]:
    """What of it the round would not take; the rest is judged at the opening."""
    requested, pledged = application.get("requested") or 0, application["match_pledged"]
    unmet = {
        "need or statement is missing": not (application.get("need") or application.get("statement")),
        f"requested is over {options.cap}": options.cap is not None and requested > options.cap,
        f"match_pledged is under {options.match}%": pledged * 100 < options.match * (requested + pledged),
        "partners: no joint applications": options.alone and application["partners"],
        f"fields are not among {options.fields}": options.fields is not None
        and set(application["fields"]) - set(options.fields.split("、")),
    }
    return [f"{name} is missing" for name in REQUIRED if not application.get(name)] + [
        fault for fault, holds in unmet.items() if holds
    ]


def main() -> None:
    """Write the envelope and print its digest, or say what is wrong."""
    options = read_options()
    source = options.source
    application = OTHERWISE | json.loads(source.read_text("utf-8"))
    if faults := list_faults(application, options):
        sys.exit("\n".join(faults))
    nonce = secrets.token_hex(16)
    sealed = json.dumps(application | {"nonce": nonce}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = sha256(sealed.encode()).hexdigest()
    envelope = {"application": application, "nonce": nonce, "digest": digest}
    source.with_suffix(".sealed.json").write_text(json.dumps(envelope, ensure_ascii=False, indent=1), "utf-8")
    sys.stdout.write(f"{digest}\n")


if __name__ == "__main__":
    main()

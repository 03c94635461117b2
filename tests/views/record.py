"""Records what ``test_versions.py`` reads: ``./run record views``.

Of every version of a view, a digest of the rows that it has of each released version's corpus. What is recorded of a
version stays: rows that have become others are another version's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from audit.views import read_facts
from followers.views import Folds, read_refusal
from store.port import EntryKind
from tests.corpus.reading import CORPUS, read_entries, read_log
from tests.releases import ROOT, released
from views.catalogue import VIEWS

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from views.view import RefusedCommand

RECORDED = Path(__file__).with_name("rows.json")


def main() -> None:
    """Record versions of which nothing is recorded yet."""
    recorded = read_recorded()
    for release in released():
        of = recorded.setdefault(release, {})
        for name, digest in asyncio.run(digest_rows(release)).items():
            if of.setdefault(name, {}).setdefault(str(VIEWS[name].version), digest) != digest:
                sys.exit(f"✗ {name}: its rows are not those of version {VIEWS[name].version} any more: raise it")
    RECORDED.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{RECORDED.relative_to(ROOT)}\n")


def read_recorded() -> dict[str, dict[str, dict[str, str]]]:
    """Release, view, version, and the digest of its rows."""
    recorded: dict[str, dict[str, dict[str, str]]] = json.loads(RECORDED.read_text("utf-8"))
    return recorded


async def digest_rows(release: str) -> dict[str, str]:
    """Of each view, the digest of the rows that it has today of what that release recorded."""
    log = CORPUS / f"{release}.jsonl.xz"
    refusals: defaultdict[StreamId, list[RefusedCommand]] = defaultdict(list)
    for entry in read_entries(log):
        if entry.kind is EntryKind.COMMAND and (refusal := read_refusal(entry)) is not None:
            refusals[entry.stream].append(refusal)
    store, digests = read_log(log), {name: sha256() for name in VIEWS}
    folds = Folds(store)
    async for head in store.heads():
        source = await folds.source(await folds.read(head.stream), refusals[head.stream])
        for name, view in VIEWS.items():
            rows = sorted(json.dumps(read_facts(row), sort_keys=True) for row in view.rows_of(source))
            digests[name].update("".join(rows).encode())
    return {name: digest.hexdigest() for name, digest in digests.items()}


if __name__ == "__main__":
    main()

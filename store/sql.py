"""The named statements of ``queries.sql``. SQL is read from here and written nowhere else."""

from __future__ import annotations

import re
from importlib.resources import files

_ENTRY = (
    "position, stream, version, kind, type, schema_version, command_id, occurred_at, recorded_at, meta, data, chain"
)
_NAMED = re.compile(r"^-- name: (\w+)\n(.*?);$", re.MULTILINE | re.DOTALL)


def _named() -> dict[str, str]:
    text = files("store").joinpath("queries.sql").read_text(encoding="utf-8")
    return {name: statement.replace("{entry}", _ENTRY) for name, statement in _NAMED.findall(text)}


QUERIES = _named()
"""Statement by name."""

"""The named statements of the files beside it. SQL is read from here and written nowhere else."""

from __future__ import annotations

import re
from importlib.resources import files

_ENTRY = (
    "position, stream, version, kind, type, schema_version, command_id, occurred_at, recorded_at, meta, data, chain"
)
_REALM = """r.clock AS type, r.now AS occurred_at,
  (SELECT s.version FROM venture.streams s
    WHERE r.clock = 'manual' AND s.stream = 'realm/' || r.realm || '/clock') AS version,
  (SELECT s.version FROM venture.streams s
    WHERE r.clock = 'manual' AND s.stream = 'calendar/' || r.realm || '/cn') AS schema_version"""
"""How the realm ``r`` stands; on the wall clock nothing is asked that only dated commands need."""
_COMMANDS_OF = """WHERE kind = 'command' AND meta ->> 'actor' = $1::text
   AND ($2::text IS NULL OR meta ->> 'person' IS NULL OR meta ->> 'person' = $2::text)
   AND ($3::text IS NULL OR split_part(stream, '/', 2) = $3::text)
   AND ($4::boolean IS NULL OR (meta -> 'outcome' -> 'accepted' IS NOT NULL) = $4::boolean)
   AND ($5::text[] IS NULL OR (meta -> 'outcome' -> 'accepted')::jsonb ?| $5::text[])
   AND position < $6::bigint
 ORDER BY position DESC LIMIT $7::bigint"""
"""What a CommandQuery asks for."""
_NAMED = re.compile(r"^-- name: (\w+)\n(.*?);$", re.MULTILINE | re.DOTALL)


def _read_queries(name: str) -> dict[str, str]:
    text = files("store").joinpath(name).read_text(encoding="utf-8")
    return dict(
        _NAMED.findall(
            text.replace("{entry}", _ENTRY).replace("{realm}", _REALM).replace("{commands_of}", _COMMANDS_OF)
        )
    )


QUERIES = _read_queries("queries.sql")
"""Statement by name."""
IDENTITY = _read_queries("identity.sql")
"""Statement by name: who comes in over HTTP."""
DOCUMENTS = _read_queries("documents.sql")
"""Statement by name: which documents are here, and who looked."""
OUTBOX = _read_queries("outbox.sql")
"""Statement by name: what is told to the outside."""

#!/bin/bash
# upgrade.sh OLD_BIN OLD_PGDATA: the log of an older major version, stopped, into an empty PGDATA of the version whose programs
# come first in PATH (pg_upgrade, which leaves the old folder as it was). Rules of the log, roles and data come along; settings
# are copied. Start it, run `venture audit verify`, then make the standbys anew (standby.sh): they cannot be upgraded.
# A minor version needs none of this: install it, restart the standbys one by one, and the primary last.
set -euo pipefail
initdb -D "$PGDATA" -U postgres --data-checksums --encoding=UTF8 --locale=C --auth-local=trust --auth-host=scram-sha-256
work=$(mktemp -d)
cd "$work"
pg_upgrade --old-bindir="$1" --old-datadir="$2" --new-datadir="$PGDATA" --username=postgres --socketdir="$work" \
  --old-options="-c synchronous_standby_names=''"
cp "$2/venture.conf" "$2/pg_hba.conf" "$2/node.conf" "$PGDATA/"
echo "include = 'venture.conf'" >> "$PGDATA/postgresql.conf"
rm -rf "$work"

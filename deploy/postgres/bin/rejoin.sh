#!/bin/bash
# rejoin.sh NODE PRIMARY: the old primary in PGDATA, stopped, becomes a standby of the new one. What it had and nobody else
# has is given up: nothing of it was ever answered as accepted. Start it afterwards: postgres -D "$PGDATA".
set -euo pipefail
export PGPASSWORD=${REPLICATION_PASSWORD:-$(cat "${REPLICATION_PASSWORD_FILE:-/dev/null}")}
pg_rewind --target-pgdata="$PGDATA" --restore-target-wal --write-recovery-conf \
  --source-server="$2 user=replicator dbname=postgres application_name=$1"
echo "cluster_name = '$1'" > "$PGDATA/node.conf"   # of its own again: the other's came with the rest

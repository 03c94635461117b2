#!/bin/bash
# standby.sh NODE PRIMARY: a standby in an empty PGDATA, e.g. standby.sh log_2 "host=log-1 port=5432". The password comes from
# REPLICATION_PASSWORD or a file; encryption from PGSSLMODE and PGSSLROOTCERT. A folder that is filled is left as it is.
set -euo pipefail
if [ -s "$PGDATA/PG_VERSION" ]; then exit 0; fi
export PGPASSWORD=${REPLICATION_PASSWORD:-$(cat "${REPLICATION_PASSWORD_FILE:-/dev/null}")}
pg_basebackup -D "$PGDATA" -R -X stream --checkpoint=fast -d "$2 user=replicator dbname=replication application_name=$1"
chmod 700 "$PGDATA"
echo "cluster_name = '$1'" > "$PGDATA/node.conf"

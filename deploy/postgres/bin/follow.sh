#!/bin/bash
# follow.sh NODE PRIMARY: have the running standby here follow another primary, e.g. after a promotion. PGHOST and PGPORT say
# where it is; the superuser speaks on this machine's own socket.
set -euo pipefail
password=${REPLICATION_PASSWORD:-$(cat "${REPLICATION_PASSWORD_FILE:-/dev/null}")}
tls="${PGSSLMODE:+sslmode=$PGSSLMODE }${PGSSLROOTCERT:+sslrootcert=$PGSSLROOTCERT}"
psql -v ON_ERROR_STOP=1 -q -U postgres -d postgres \
  -v conninfo="$2 user=replicator password=$password application_name=$1 $tls" <<'SQL'
ALTER SYSTEM SET primary_conninfo = :'conninfo';
SELECT pg_reload_conf();
SQL

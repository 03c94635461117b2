#!/bin/bash
# Configuration, roles, database and who may connect, made once in an empty data folder: by the image's entrypoint, or by
# bin/create.sh without a container. The schema itself comes with `venture migrate`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
secret() { local file="${1}_FILE"; if [ -n "${!file:-}" ]; then cat "${!file}"; else printf %s "${!1:?}"; fi; }

tls=${TLS:-on}
host=hostssl
[ "$tls" = on ] || host=host
fill() { sed -e "s|@BIN@|${BIN:-/venture}|g; s|@ARCHIVE@|${ARCHIVE:-/archive}|g; s|@CERTS@|${CERTS:-/certs}|g" \
             -e "s|@TLS@|$tls|g; s|@HOST@|$host|g" "$here/$1"; }
fill venture.conf > "$PGDATA/venture.conf"
fill pg_hba.conf > "$PGDATA/pg_hba.conf"
echo "cluster_name = '${NODE:-log_1}'" > "$PGDATA/node.conf"
echo "include = 'venture.conf'" >> "$PGDATA/postgresql.conf"

# no standby is there yet to wait for
export PGOPTIONS="-c synchronous_commit=local"
psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  -v replication="$(secret REPLICATION_PASSWORD)" -v owner="$(secret VENTURE_OWNER_PASSWORD)" \
  -v app="$(secret VENTURE_APP_PASSWORD)" -v auditor="$(secret VENTURE_AUDITOR_PASSWORD)" <<'SQL'
CREATE ROLE replicator REPLICATION LOGIN PASSWORD :'replication';
CREATE ROLE venture_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE venture_app LOGIN PASSWORD :'app';
CREATE ROLE venture_auditor LOGIN PASSWORD :'auditor';
GRANT pg_monitor TO venture_app;
CREATE DATABASE venture OWNER venture_owner;
-- what pg_rewind asks of the new primary
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO replicator;
GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO replicator;
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO replicator;
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO replicator;
SQL

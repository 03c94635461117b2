#!/bin/bash
# Roles, database and who may connect, made once when the volume is empty. The schema itself comes with `venture migrate`.
set -euo pipefail
# no standby is there yet to wait for
export PGOPTIONS="-c synchronous_commit=local"
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
  -v replication="$REPLICATION_PASSWORD" -v owner="$VENTURE_OWNER_PASSWORD" \
  -v app="$VENTURE_APP_PASSWORD" -v auditor="$VENTURE_AUDITOR_PASSWORD" <<'SQL'
CREATE ROLE replicator REPLICATION LOGIN PASSWORD :'replication';
CREATE ROLE venture_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE venture_app LOGIN PASSWORD :'app';
CREATE ROLE venture_auditor LOGIN PASSWORD :'auditor';
GRANT pg_monitor TO venture_app;
CREATE DATABASE venture OWNER venture_owner;
SQL
# encrypted and with a password, standbys too; from this machine itself for pg_isready and maintenance
cat > "$PGDATA/pg_hba.conf" <<'HBA'
local   all          all                     trust
hostssl all          all         all         scram-sha-256
hostssl replication  replicator  all         scram-sha-256
HBA

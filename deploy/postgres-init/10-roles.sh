#!/bin/bash
# Roles and database of the log, made once when the volume is empty. The schema itself comes with `venture migrate`.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" <<SQL
CREATE ROLE replicator REPLICATION LOGIN PASSWORD '${REPLICATION_PASSWORD}';
CREATE ROLE venture_owner LOGIN CREATEROLE;
CREATE ROLE venture_app LOGIN;
CREATE ROLE venture_auditor LOGIN;
GRANT pg_monitor TO venture_app;
CREATE DATABASE venture OWNER venture_owner;
SQL
echo "set passwords next: ALTER ROLE venture_owner / venture_app / venture_auditor PASSWORD …"

#!/bin/bash
# promote.sh: make the standby in PGDATA the primary. First be sure that the old one is dead or stopped: two primaries are two
# logs. Of two standbys take the one that has received more: psql -U postgres -c 'SELECT pg_last_wal_receive_lsn()'. It has
# inherited all settings, and those who are waited for are all three servers by name, so nothing is to be set.
set -euo pipefail
pg_ctl -D "$PGDATA" -w promote
# pg_rewind before Postgres 16 sees the new timeline only after a checkpoint
psql -q -U postgres -d postgres -c CHECKPOINT

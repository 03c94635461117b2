#!/bin/bash
# restore.sh BACKUP [INSTANT]: that base backup into an empty PGDATA, with the archive up to the instant
# ('2026-11-26 09:00:00+08'), or to its end. Start it afterwards: postgres -D "$PGDATA"; it takes appends when it is there.
# Restored alone, it waits for no standby; attach others, then remove the last line of node.conf and reload.
set -euo pipefail
if [ -s "$PGDATA/PG_VERSION" ]; then echo "$PGDATA is not empty" >&2; exit 1; fi
mkdir -p "$PGDATA"
cp -a "$1/." "$PGDATA/"
chmod 700 "$PGDATA"
rm -f "$PGDATA/standby.signal"
touch "$PGDATA/recovery.signal"
{
  echo "cluster_name = '${NODE:-log_1}'"
  [ -z "${2:-}" ] || echo "recovery_target_time = '$2'"
  echo "recovery_target_action = 'promote'"
  echo "synchronous_standby_names = ''"
} > "$PGDATA/node.conf"

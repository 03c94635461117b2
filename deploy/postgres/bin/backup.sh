#!/bin/bash
# backup.sh PRIMARY TO: tonight's base backup into an empty folder, and proof that it can be read. With the archive since then
# it can be restored to any second.
set -euo pipefail
export PGPASSWORD=${REPLICATION_PASSWORD:-$(cat "${REPLICATION_PASSWORD_FILE:-/dev/null}")}
pg_basebackup -D "$2.part" -X stream --checkpoint=fast --manifest-checksums=SHA256 \
  -d "$1 user=replicator dbname=replication application_name=backup"
pg_verifybackup "$2.part"
mv "$2.part" "$2"

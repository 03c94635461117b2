#!/bin/sh
# archive.sh FROM TO: one segment into the archive, whole and on disk or not at all. The same segment again is fine (Postgres
# asks again after a crash), another under its name is not.
set -eu
if [ -f "$2" ]; then exec cmp -s "$1" "$2"; fi
cp "$1" "$2.part"
sync "$2.part"
mv "$2.part" "$2"
sync "$(dirname "$2")"

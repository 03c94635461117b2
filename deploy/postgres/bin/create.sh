#!/bin/bash
# create.sh: the first server, without a container. PGDATA and what init/10-venture.sh reads come from the environment;
# POSTGRES_PASSWORD_FILE holds the superuser's password. Start it afterwards: postgres -D "$PGDATA".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
initdb -D "$PGDATA" -U postgres --pwfile="${POSTGRES_PASSWORD_FILE:?}" --data-checksums --encoding=UTF8 --locale=C \
  --auth-host=scram-sha-256 --auth-local=trust
sockets=$(mktemp -d)
pg_ctl -D "$PGDATA" -w -s -l "$PGDATA/create.log" -o "-c listen_addresses='' -c unix_socket_directories='$sockets'" start
trap 'pg_ctl -D "$PGDATA" -w -s stop; rm -rf "$sockets"' EXIT
PGHOST=$sockets BIN=${BIN:-$here} "$here/../init/10-venture.sh"

#!/bin/sh
# A PostgreSQL server for tests: whoever reaches it comes in, and nothing outlives its pod. CLUSTER_NAME tells servers
# apart: `show cluster_name`.
set -e
initdb --username=postgres --auth=trust --locale=C --encoding=UTF8 --no-sync >/dev/null
echo 'host all all all trust' >>"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c cluster_name="$CLUSTER_NAME" \
  -c fsync=off -c shared_buffers=16MB -c autovacuum=off

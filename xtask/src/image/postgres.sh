#!/bin/sh
# A PostgreSQL server for tests: it trusts every client, and its data end with its pod. CLUSTER_NAME identifies a server:
# `show cluster_name`.
set -e
initdb --username=postgres --auth=trust --locale=C --encoding=UTF8 --no-sync >/dev/null
echo 'host all all all trust' >>"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c cluster_name="$CLUSTER_NAME" \
  -c fsync=off -c shared_buffers=16MB -c autovacuum=off

#!/bin/sh
# Makes the secrets that compose.yaml hands out, in ./secrets; those that are there stay. Run it as root, once.
set -eu
cd "${1:-$(dirname "$0")}"
umask 077
mkdir -p secrets
if [ ! -e secrets/postgres-password ]; then
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > secrets/postgres-password
fi
# The one form that the driver reads by itself: neither the environment nor a process list shows it.
printf '*:5432:postern:postern:%s\n' "$(cat secrets/postgres-password)" > secrets/pgpass
# The image's user. A file that others could read is one that the driver refuses.
chown 2222:2222 secrets/pgpass || echo "secrets/pgpass must belong to 2222:2222: run this as root." >&2

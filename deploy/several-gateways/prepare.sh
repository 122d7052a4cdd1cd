#!/bin/sh
# Makes what compose.yaml needs, beside it: the secrets that it hands out, in ./secrets, and .env with the name that people call the
# gateways by and the group of Docker's socket. What is there stays. Run it as root, once: ./prepare.sh gateway.example
set -eu
cd "$(dirname "$0")"
umask 077

fail() {
  echo "prepare.sh: $1" >&2
  exit 1
}
has() { grep -q "^$1=." .env 2>/dev/null; }
# docker compose reads it, whoever runs that; nothing in it is secret.
put() {
  if has "$1"; then return; fi
  [ -e .env ] || (umask 022 && : > .env)
  [ -z "$(tail -c 1 .env)" ] || echo >> .env
  printf '%s=%s\n' "$1" "$2" >> .env
}

domain=${1:-${POSTERN_DOMAIN:-}}
if ! has POSTERN_DOMAIN; then
  case $domain in
    '') fail 'say the name that people call the gateways by: ./prepare.sh gateway.example' ;;
    *[!A-Za-z0-9_.:-]*) fail 'the name that people call the gateways by is a host name or an address.' ;;
  esac
fi
gid=${DOCKER_GID:-$(stat -Lc %g /var/run/docker.sock 2>/dev/null || true)}
if ! has DOCKER_GID; then
  case $gid in
    '') fail 'there is no /var/run/docker.sock: start Docker, or set DOCKER_GID to the group of its socket, by number.' ;;
    *[!0-9]*) fail 'DOCKER_GID is the group of /var/run/docker.sock, by number.' ;;
  esac
fi

put DOCKER_GID "$gid"
put POSTERN_DOMAIN "$domain"
mkdir -p secrets
if [ ! -e secrets/postgres-password ]; then
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > secrets/postgres-password
fi
# The one form that the driver reads by itself: neither the environment nor a process list shows it.
printf '*:5432:postern:postern:%s\n' "$(cat secrets/postgres-password)" > secrets/pgpass
# The image's user. A file that others could read is one that the driver refuses.
chown 2222:2222 secrets/pgpass || echo "secrets/pgpass must belong to 2222:2222: run this as root." >&2

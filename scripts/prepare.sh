#!/bin/sh
# Makes a checkout ready to run: installs what is missing, builds what is stale, and does nothing the
# second time. Plain sh, because it runs before node_modules exists.
set -eu
cd "$(dirname "$0")/.."

unwritable() {
  [ -w . ] && return 1
  echo "postern: $PWD is to be installed or built, and this user may not write there; let its owner run \"$PWD/bin/postern version\" once." >&2
}

# scripts/postinstall.mjs leaves the copy, so it is there only after an installation that went through.
installed=node_modules/.installed-package-lock.json
# A link leads to the packages of another checkout, which npm would remove before it installs ours.
if [ ! -L node_modules ] && { ! cmp -s package-lock.json "$installed" || [ ! -e node_modules/.bin/tsc ]; }; then
  if unwritable; then exit 1; fi
  echo 'postern: installing dependencies (package-lock.json is new or has changed) …' >&2
  # Errors only: npm would warn that packages want a newer Node than its own, but they get the one just installed.
  npm ci --include=dev --include=optional --no-progress --loglevel=error >&2
fi

if [ ! -e dist/.built ] || [ -n "$(find src tsconfig.json tsconfig.build.json "$installed" -newer dist/.built -print -quit)" ]; then
  if unwritable; then exit 1; fi
  sh scripts/build.sh
fi

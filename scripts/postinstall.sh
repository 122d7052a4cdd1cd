#!/bin/sh
# npm runs this after an installation, with whatever Node the machine has; the work is done by the Node
# that will run Postern, because a native addon fits one version only.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/scripts/find-node.sh"
# Not an error: find_node has said what to do, and bin/postern says it again.
node=$(find_node "$root") || exit 0
exec "$node" "$root/scripts/postinstall.mjs"

#!/bin/sh
# Compiles src/ into dist/. The new folder takes the old one's place only when it is whole, so a
# failed build leaves what ran before.
set -eu
cd "$(dirname "$0")/.."
. scripts/find-node.sh
node=$(find_node "$PWD")

fresh=dist.new.$$
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh"
# Made before the compiler reads: a source saved meanwhile counts as newer.
touch "$fresh/.built"
"$node" node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir "$fresh" >&2
rm -rf dist
mv "$fresh" dist

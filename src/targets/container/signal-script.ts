/**
 * The scripts that signal processes inside a container, which Docker has no call for. They use
 * nothing but builtins of sh and /proc, and run as the session's own user: so a lie about a pid gains
 * nobody anything. In /proc/PID/stat the name may hold spaces, parentheses and newlines; what
 * follows the last ")" does not.
 */

/** The last line of each script: without it something else was written in its place, and nothing was signalled. */
export const ran = 'ran';

const readStat = `read_stat() {
  stat=
  while IFS= read -r line || [ -n "$line" ]; do stat=$line; done 2>/dev/null <"$1/stat"
  stat=\${stat##*) }
}
IFS=' '
`;

/**
 * `SIGNAL PID`: the signal to the foreground group of the leader's terminal, without one to its group.
 */
export const groupScript = `${readStat}signal=$1
read_stat "/proc/$2"
if [ -n "$stat" ]; then
  set -- $stat
  group=$3
  [ "$5" = 0 ] || [ "$6" -le 1 ] || group=$6
  [ "$group" -gt 1 ] && kill -s "$signal" -- "-$group" 2>/dev/null
fi
echo ${ran}`;

/**
 * `SIGNAL "SID SID …"`: the signal to every process of those sessions; other signals than HUP spare
 * those that ignore HUP (nohup). Leaders come first: a shell that waits for a child must hear it before the child's end lets
 * it end. Prints the sessions in which there was something to signal. KILL looks again, for what was forked meanwhile.
 */
export const sessionScript = `${readStat}signal=$1 sessions=" $2 " told=' '
ignores_hangup() {
  while IFS=' 	' read -r key value; do
    [ "$key" = SigIgn: ] || continue
    case $value in *[13579bdfBDF]) return 0 ;; *) return 1 ;; esac
  done 2>/dev/null <"$1/status"
  return 1
}
reach() {
  read_stat "/proc/$1"
  set -- $1 $stat
  case $2 in '' | Z | X) return ;; esac
  case $sessions in *" $5 "*) ;; *) return ;; esac
  [ "$signal" = HUP ] || ! ignores_hangup "/proc/$1" || return
  kill -s "$signal" "$1" 2>/dev/null || return
  kill -s CONT "$1" 2>/dev/null
  found=1
  case $told in *" $5 "*) ;; *) told="$told$5 " && echo "$5" ;; esac
}
sweep() {
  found=
  for pid in $sessions; do reach "$pid"; done
  for folder in /proc/[0-9]*; do
    case $sessions in *" \${folder#/proc/} "*) ;; *) reach "\${folder#/proc/}" ;; esac
  done
}
sweep
for round in 1 2 3; do
  [ "$signal" = KILL ] && [ -n "$found" ] && sweep
done
echo ${ran}`;

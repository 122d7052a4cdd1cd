const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** sshd_config's AcceptEnv: `*` and `?` are wildcards, everything else is literal. */
export function createEnvFilter(patterns: readonly string[]): (name: string) => boolean {
  return (name) => variableName.test(name) && patterns.some((pattern) => matches(pattern, name));
}

/** By going back to the last `*` only: a regular expression would take for ever over some names. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let position = 0; position < name.length; ) {
    if (pattern[at] === '*') {
      star = at;
      at += 1;
      resumeAt = position;
    } else if (pattern[at] === '?' || pattern[at] === name[position]) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      resumeAt += 1;
      position = resumeAt;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

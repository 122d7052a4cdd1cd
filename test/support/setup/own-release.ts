import { readFileSync } from 'node:fs';
import { runToEnd } from './run-to-end.ts';

/** The release this machine runs, and where its apt gets it, if that can be told. */
export function ownRelease(): { suite: string; mirror: string | undefined } {
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  const format = ['--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages', 'Component: main'];
  const lines = runToEnd('apt-get', ['indextargets', ...format]).split('\n');
  const line = lines.find((candidate) => candidate.endsWith(` ${suite}`));
  return { suite, mirror: line?.split(' ')[0] };
}

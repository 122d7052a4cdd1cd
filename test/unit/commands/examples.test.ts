/** What `help` prints as examples, typed into a shell: ssh takes one layer of quotes away. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Command } from '../../../src/commands/command.ts';
import { findCommand } from '../../../src/commands/interpreter/find-command.ts';
import { loadCommands, nameOf } from '../../../src/commands/interpreter/load-commands.ts';
import { parseArguments } from '../../../src/commands/interpreter/parse-arguments.ts';

const home = mkdtempSync(join(tmpdir(), 'postern-examples-'));
mkdirSync(join(home, '.ssh'));
afterAll(() => rmSync(home, { recursive: true }));

/** Writes the line that the gateway is sent, joined as ssh joins it, into the file `sent`. */
const stubs = `
cat() { printf '%s' 'ssh-ed25519 AAAA somebody at home'; }
ssh() {
  while [ $# -gt 0 ] && [ "$1" != GATEWAY ]; do shift; done
  [ $# -eq 0 ] || { shift; printf '%s\\n' "$*" >> sent; }
}
`;

function linesOf(example: string): string[] {
  const sent = join(home, 'sent');
  rmSync(sent, { force: true });
  // Nothing but the stubs is run: what else an example names is not found.
  const options = { cwd: home, env: { HOME: home, PATH: '' }, stdio: 'ignore' } as const;
  execFileSync('/bin/sh', ['-c', `${stubs}\n${example}\n:`], options);
  return readFileSync(sent, 'utf8').trimEnd().split('\n');
}

function parse(line: string, commands: readonly Command[]) {
  const found = findCommand(line, commands);
  if (!found || 'group' in found) throw new Error(`"${line}" names no command`);
  const { args } = parseArguments(found.command, found.words, found.rest);
  return { name: nameOf(found.command), args };
}

const commands = await loadCommands();
const examples = commands.flatMap((command) =>
  (command.examples ?? [])
    .filter((example) => example.includes('GATEWAY'))
    .map((example) => [example, nameOf(command)] as const),
);

describe('the examples of help', () => {
  it.each(examples)('%s', (example, name) => {
    for (const line of linesOf(example)) expect(parse(line, commands)).toMatchObject({ name });
  });

  it('keep words together that belong together', () => {
    const revoke = examples.find(([example]) => example.includes('--key-id'))?.[0] as string;
    const [line] = linesOf(revoke);
    expect(parse(line as string, commands).args.options).toMatchObject({ 'key-id': 'alice laptop' });
  });
});

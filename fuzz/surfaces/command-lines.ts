/** Lines that an ordinary account types in the lobby, with something on stdin: real rules, a store and an engine of maps. */

import { loadCommands } from '../../src/commands/interpreter/load-commands.ts';
import { hostileTexts } from '../../test/support/hostile-texts.ts';
import { openLobby } from '../../test/support/lobby.ts';
import { createMemoryStore } from '../../test/support/memory-store.ts';
import { container, identityOf, putAccount, putKey } from '../../test/support/people.ts';
import { corpus } from '../corpus.ts';
import { mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { expectThat, type Surface } from '../surface.ts';

/** What was added is forgotten after so many lines: it is lines that are tried, not a store that is filled. */
const linesPerLobby = 2_000;
const separator = 0;

const words = [
  ...[
    'web',
    'db',
    'olga',
    'ada',
    'laptop',
    'me',
    'all',
    '1',
    '30d',
    '2030-01-01',
    'SHA256:x',
    'key:1',
    '*',
    '--json',
  ],
  ...[
    '--name=x',
    '--help',
    '-h',
    '--exp=1h',
    '--users=root',
    '--role=admin',
    '--cmds=ls',
    '--',
    'x@example.com',
    '22',
  ],
];

async function openMembersLobby() {
  const containers = [container('web', { labels: { 'rexec.owner': 'olga' } }), container('db')];
  const lobby = await openLobby({ containers, store: createMemoryStore() });
  const olga = await putAccount(lobby.services.store, 'olga', 'member', { email: 'olga@example.com' });
  await putAccount(lobby.services.store, 'ada', 'admin');
  return { lobby, olga: identityOf(olga, await putKey(lobby.services.store, olga, 'laptop')) };
}

const wordOf = (random: Random) => {
  const text = random.oneIn(3) ? random.pick(hostileTexts) : random.pick(words);
  return random.oneIn(3) ? `'${text}'` : text;
};

export const commandLines: Surface = {
  pace: 'in this process',
  async open() {
    const paths = (await loadCommands()).map(({ path }) => path.join(' '));
    const seeds = [...paths, ...hostileTexts].map((text) => Buffer.from(text));
    let current = await openMembersLobby();
    let left = linesPerLobby;
    return {
      generate(random) {
        const count = random.below(4);
        const line = [random.pick(paths), ...Array.from({ length: count }, () => wordOf(random))].join(' ');
        const typed = random.oneIn(2) ? mutate(Buffer.from(line), random, seeds) : Buffer.from(line);
        const stdin = random.oneIn(4)
          ? Buffer.from(random.pick(corpus.keyFiles))
          : Buffer.from(random.pick(hostileTexts));
        // A NUL in the line itself ends it here; such lines are among the hostile texts of the tests.
        return Buffer.concat([typed, Buffer.from([separator]), stdin]);
      },
      async run(input) {
        if (left-- === 0) {
          await current.lobby.close();
          current = await openMembersLobby();
          left = linesPerLobby;
        }
        const end = input.indexOf(separator);
        const line = input.toString('utf8', 0, end < 0 ? input.length : end);
        const stdin = end < 0 ? Buffer.alloc(0) : input.subarray(end + 1);
        const { lobby, olga } = current;
        const from = lobby.logged().length;
        const finished = await lobby.run(olga, line, { stdin });
        expectThat('exitStatus' in finished.end, 'a line that ends without a status');
        const isRaw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/;
        expectThat(!isRaw.test(finished.stdout + finished.stderr), 'an answer that drives terminals');
        const failed = lobby
          .logged()
          .slice(from)
          .find(({ level }) => Number(level) >= 50);
        expectThat(failed === undefined, `a fault of ours: ${JSON.stringify(failed)}`);
      },
      close: () => current.lobby.close(),
    };
  },
};

import { describe, expect, it } from 'vitest';
import { provenIdentity } from '../../../src/auth/identity.ts';
import { createReachWeb } from '../../../src/sessions/reach-web.ts';
import type { KeyRestrictions } from '../../../src/store/schema.ts';
import { config } from '../../support/access.ts';
import { container, listedEngine } from '../../support/people.ts';
import { openTargetDirectory } from '../../support/target-directory.ts';

const owned = { labels: { 'rexec.owner': 'olga' } };

/** What olga's token for `scope` reaches at the host name `asked`: the container's name, or the code of the refusal. */
async function reach(
  names: readonly string[],
  scope: string,
  asked: string,
  restrictions: KeyRestrictions = {},
) {
  const { engine } = listedEngine([...names.map((name) => container(name, owned)), container('foreign')]);
  const { authorizer, directory: targets, identity } = openTargetDirectory(engine);
  const reachWeb = createReachWeb({ authorizer, targets, engine, targetPrefix: config.targetPrefix });
  const person = await identity('olga', 'member', { restrictions });
  const byToken = provenIdentity({ ...person, token: { cmds: [], container: scope } });
  return reachWeb(byToken, asked).then(
    ({ authorization }) => authorization.target.name,
    (error: { code: string }) => error.code,
  );
}

describe('a token for one container', () => {
  it('reaches that one, under its name in small letters', async () => {
    expect(await reach(['web'], 'web', 'web')).toBe('web');
    expect(await reach(['Web'], 'Web', 'web')).toBe('Web');
    expect(await reach(['Web'], 'web', 'web')).toBe('Web');
  });

  it('where names differ in case alone, reaches the one it was signed for', async () => {
    expect(await reach(['Web', 'web'], 'Web', 'web')).toBe('Web');
    expect(await reach(['Web', 'web'], 'web', 'web')).toBe('web');
    expect(await reach(['Web', 'WEB'], 'web', 'web')).toBe('container-refused');
  });

  it.each([
    ['another name', 'db', 'web', 'token-elsewhere'],
    [
      'the id of a container',
      container('web').id.slice(0, 12),
      container('web').id.slice(0, 12),
      'container-refused',
    ],
    ['the name with its ssh prefix', 'rexec-web', 'rexec-web', 'container-refused'],
    ['somebody else’s container', 'foreign', 'foreign', 'container-refused'],
    ['one that is not there', 'nothing', 'nothing', 'container-refused'],
  ])('%s: refused', async (_what, scope, asked, code) => {
    expect(await reach(['web', 'db'], scope, asked)).toBe(code);
  });

  it('by a key that is bound to a command: refused', async () => {
    expect(await reach(['web'], 'web', 'web', { command: 'true' })).toBe('forced-command-only');
  });
});

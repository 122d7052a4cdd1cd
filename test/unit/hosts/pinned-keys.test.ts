import { describe, expect, it } from 'vitest';
import { describeHostKey, parseHostKeys } from '../../../src/hosts/pinned-keys.ts';
import { makePublicKey } from '../../support/lobby.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

const [one, other] = [makePublicKey('root@db'), makePublicKey('root@db')];
const bare = (line: string) => line.split(' ').slice(0, 2).join(' ');
const blob = (line: string) => line.split(' ')[1] as string;

describe('host keys that are given', () => {
  it.each([
    ['a .pub line', one],
    ['without comment', bare(one)],
    ['base64 alone, which no shell splits', blob(one)],
    ['as known_hosts has it', `db.example.com,10.0.0.5 ${one}`],
    ['as ssh-keyscan prints it', `# db.example.com:22 SSH-2.0-OpenSSH_9.2p1\ndb.example.com ${bare(one)}\n`],
  ])('%s', (_what, text) => {
    expect(parseHostKeys(text)).toEqual([bare(one)]);
  });

  it('several, by commas or lines, each once', () => {
    expect(parseHostKeys(`${blob(one)},${blob(other)},${one}`)).toEqual([bare(one), bare(other)]);
    expect(parseHostKeys(`${one}\n${other}\n`)).toEqual([bare(one), bare(other)]);
  });

  it.each([
    ['', /has no key in it/],
    ['# nothing\n', /has no key in it/],
    ['SHA256:abc', /is no public key/],
    [`ssh-ed25519 ${blob(one).slice(0, -4)}`, /./],
    [Array.from({ length: 9 }, () => makePublicKey()).join('\n'), /at most 8 keys/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', /./],
  ])('%j is refused', (text, why) => {
    expect(() => parseHostKeys(text)).toThrow(why);
  });

  it('a fingerprint is as ssh-keygen -l prints it', async () => {
    const { publicKey, fingerprint } = await makeKeyPair();
    expect(describeHostKey(bare(publicKey))).toEqual({ type: 'ssh-ed25519', fingerprint });
  });
});

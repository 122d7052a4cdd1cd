import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { authorizedKeysLine } from '../../../src/container-sshd/authorized-keys-line.ts';
import { parseOptions } from '../../../src/keys/authorized-keys-options.ts';
import { reachingKey } from '../../support/key-files.ts';

const optionsOf = (...given: Parameters<typeof reachingKey>) => {
  const reaching = reachingKey(...given);
  const line = authorizedKeysLine(reaching);
  expect(line).toContain(reaching.key.publicKey);
  return line.slice(0, line.indexOf(reaching.key.publicKey)).trim();
};

describe('a key as a line of authorized_keys', () => {
  it('without restrictions: the key and who it is', () => {
    const reaching = reachingKey('laptop');
    expect(authorizedKeysLine(reaching)).toBe(`${reaching.key.publicKey} alice: laptop`);
  });

  it.each([
    [{ noPty: true }, { pty: false }, 'restrict,port-forwarding,agent-forwarding'],
    [{}, { forwarding: false }, 'restrict,pty,agent-forwarding'],
    [{ noPty: true }, { pty: false, forwarding: false, agentForwarding: false }, 'restrict'],
    [
      { from: '10.0.0.0/8,!10.1.0.0/16' },
      {},
      'restrict,pty,port-forwarding,agent-forwarding,from="10.0.0.0/8,!10.1.0.0/16"',
    ],
    [
      { command: 'echo "a b" \\$x' },
      {},
      'restrict,pty,port-forwarding,agent-forwarding,command="echo \\"a b\\" \\$x"',
    ],
    [
      { permitOpen: ['web:22', '*:80'], permitListen: ['8080'] },
      {},
      'restrict,pty,port-forwarding,agent-forwarding,permitopen="web:22",permitopen="*:80",permitlisten="8080"',
    ],
    [{ verifyRequired: true }, {}, 'restrict,pty,port-forwarding,agent-forwarding,verify-required'],
    [{ noTouchRequired: true }, {}, 'no-touch-required'],
    [{ environment: ['LD_PRELOAD=/tmp/x'] }, {}, ''],
  ])('%j with %j: %s', (restrictions, allows, expected) => {
    expect(optionsOf('k', { restrictions }, allows)).toBe(expected);
  });

  it('an expiry in UTC', () => {
    expect(optionsOf('k', { expiresAt: '2027-03-04T06:06:07.890+01:00' })).toBe(
      'expiry-time="20270304050607Z"',
    );
  });

  it('what is written is read here as what it was', () => {
    const restrictions = { from: '192.0.2.0/24', command: 'say "hi"', permitOpen: ['a:1'] };
    const options = optionsOf('k', { restrictions, expiresAt: '2030-01-01T00:00:00.000Z' });
    expect(parseOptions(options)).toEqual({ restrictions, expiresAt: '2030-01-01T00:00:00.000Z' });
  });

  it.each(['a\nssh-ed25519 AAAA evil', 'a\r\nb', '\u2028# postern end', '\u001b[31m', 'x'.repeat(5_000)])(
    'marker-in-comment: the name %j stays inside one short line',
    (name) => {
      const line = authorizedKeysLine(reachingKey(name));
      expect(line).toMatch(/^ssh-ed25519 \S+ alice: [^\p{Cc}\u2028]+$/u);
      expect(line.length).toBeLessThan(1_000);
    },
  );

  it('ssh-keygen finds the key behind all of it', () => {
    const restrictions = { from: '10.*', command: 'echo "x, y"', permitOpen: ['a:1'], verifyRequired: true };
    const line = authorizedKeysLine(reachingKey('k', { restrictions, expiresAt: '2030-01-01T00:00:00Z' }));
    const file = join(mkdtempSync(join(tmpdir(), 'postern-line-')), 'authorized_keys');
    writeFileSync(file, `${line}\n`);
    expect(execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' })).toMatch(
      /^256 SHA256:\S+ alice: k \(ED25519\)/,
    );
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holdsSecret, maskSecrets } from '../../../../src/commands/interpreter/mask.ts';
import { createPrivateKeyGuard } from '../../../../src/commands/interpreter/private-key-guard.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-mask-'));
const makeKey = (format: string) => {
  const file = join(folder, format);
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', format, '-N', '', '-f', file]);
  return readFileSync(file, 'utf8');
};
const privateKeys = ['RFC4716', 'PEM', 'PKCS8'].map(makeKey);
const token = 'exe0.eyJleHAiOjF9.U1NIU0lHAAAAAQ';

describe('maskSecrets', () => {
  it.each([
    [`exe0-to-exe1 ${token}`, 'exe0-to-exe1 exe0.***'],
    ['whoami --token=exe1.abcdefghijklmnopqrstuvwxyz234567', 'whoami --token=exe1.***'],
    ['exe0-to-exe1 eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJleGUxIn0.c2ln-_', 'exe0-to-exe1 eyJ***'],
    ['ssh join+SECRETCODE@gateway', 'ssh join+***@gateway'],
    ['mfa verify 123456', 'mfa verify ***'],
    ['mfa --json disable 123 456', 'mfa --json disable ***'],
    ['mfa disable abcd-efgh-2345-mnop', 'mfa disable ***'],
    ['mfa verify ABCDEFGH2345MNOP', 'mfa verify ***'],
    ['mfa disable abcd efgh 2345 mnop', 'mfa disable ***'],
    ['mfa confirm 12 34 56', 'mfa confirm ***'],
    [`mfa 'verify' abcdefgh2345mnop`, 'mfa verify ***'],
    ['ls -l', 'ls -l'],
    ['ssh web join forces', 'ssh web join forces'],
  ])('%s → %s', (line, masked) => {
    expect(maskSecrets(line)).toBe(masked);
  });

  it('no byte of a private key stays, whatever its format and wherever it stands', () => {
    for (const key of privateKeys) {
      const body = key.split('\n')[1] as string;
      for (const line of [
        key,
        `ssh-key add '${key}'`,
        key.replaceAll('\n', ' '),
        `ssh web echo ${key.slice(0, 400)}`,
      ]) {
        expect(maskSecrets(line)).not.toContain(body.slice(0, 20));
      }
    }
  });

  it('quotes inside a token do not hide it', () => {
    const hidden = `exe0-to-exe1 ex"e0.secretsecret.secret"`;
    expect(maskSecrets(hidden)).not.toContain('secretsecret');
    expect(maskSecrets(String.raw`ssh j\oin+SECRETCODE@h`)).not.toContain('SECRETCODE');
  });

  it('is done in time with 64 KiB of near misses', () => {
    const startedAt = cpuTimeMs();
    for (const text of [
      'exe0.',
      '-----BEGIN ',
      'join+',
      '\'"\\ ',
      '-----BEGIN PRIVATE KEY-----',
      'mfa ',
      'abcd-',
      'eyJ-',
      'eyJa.',
    ]) {
      holdsSecret(text.repeat(64 * 1024).slice(0, 64 * 1024));
    }
    expect(cpuTimeMs() - startedAt).toBeLessThan(1_000);
  });
});

describe('createPrivateKeyGuard', () => {
  it('reports a key once and drops its body, then lets lines through again', () => {
    for (const key of privateKeys) {
      const guard = createPrivateKeyGuard();
      const verdicts = `${key}whoami`.split('\n').map((line) => guard.check(line));
      expect(verdicts.filter((verdict) => verdict === 'begins')).toHaveLength(1);
      expect(verdicts.indexOf('begins')).toBe(0);
      expect(verdicts.at(-1)).toBe('clean');
      expect(verdicts.slice(1, -1).every((verdict) => verdict === 'inside')).toBe(true);
    }
  });

  it('knows the body of an OpenSSH key without its frame', () => {
    const guard = createPrivateKeyGuard();
    const body = (privateKeys[0] as string).trim().split('\n').slice(1, -1);
    const verdicts = [...body, 'whoami'].map((line) => guard.check(line));
    expect(verdicts[0]).toBe('begins');
    expect(verdicts.slice(1, -1).every((verdict) => verdict === 'inside')).toBe(true);
    expect(verdicts.at(-1)).toBe('clean');
  });

  it('knows a PuTTY key', () => {
    const guard = createPrivateKeyGuard();
    const key =
      'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nAAAA\nPrivate-Lines: 1\nSECRET\nPrivate-MAC: 00\nls';
    expect(key.split('\n').map((line) => guard.check(line))).toEqual([
      'begins',
      'inside',
      'inside',
      'inside',
      'inside',
      'inside',
      'clean',
    ]);
  });
});

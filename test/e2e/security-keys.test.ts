/** Security keys (FIDO): a software one behind an agent, the real ssh in front of a real gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { sendForgedLogins } from '../support/forged-login.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { field } from '../support/keys.ts';
import { malformedSignatures } from '../support/malformed-signatures.ts';
import {
  makeSecurityKey,
  type SecurityKey,
  type SecurityKeyKind,
  type SigningTerms,
  statement,
  touched,
  verified,
} from '../support/security-key.ts';
import { startAgent } from '../support/ssh-agent.ts';
import type { Outcome } from '../support/ssh-client.ts';

let door: TestGateway;
beforeAll(async () => {
  door = await startTestGateway({ config: { maxAuthTries: 1000 } });
});
afterAll(() => door.stop());

const kinds: readonly SecurityKeyKind[] = ['ed25519', 'ecdsa'];

async function addKey(kind: SecurityKeyKind, flags = '', options = ''): Promise<SecurityKey> {
  const key = makeSecurityKey(kind);
  const added = await door.ssh(`ssh-key add ${flags}`, { stdin: `${options}${key.line} a security key\n` });
  expect(added.stderr).toBe('');
  expect(added.status).toBe(0);
  return key;
}

/** `ssh … whoami` with an agent that holds this key and nothing else. */
function logIn(key: SecurityKey, terms?: SigningTerms): Promise<Outcome> {
  return logInSigning(key, (data) => key.sign(data, terms));
}

async function logInSigning(
  key: SecurityKey,
  sign: (data: Buffer) => Buffer | undefined,
  command = 'whoami --json',
  login = 'somebody',
): Promise<Outcome> {
  const agent = await startAgent([{ blob: key.blob, sign }]);
  try {
    const args = [
      '-o',
      `IdentityAgent=${agent.socketPath}`,
      '-o',
      'IdentitiesOnly=no',
      '-o',
      'LogLevel=INFO',
    ];
    const outcome = await door.ssh(command, { key: '/dev/null', args, login });
    expect(agent.asked()).toBeGreaterThan(0);
    return outcome;
  } finally {
    await agent.close();
  }
}

const currentKey = ({ text }: Outcome): string =>
  (JSON.parse(text) as { ssh_keys: { public_key: string; current: boolean }[] }).ssh_keys.find(
    ({ current }) => current,
  )?.public_key ?? '';

const wasAudited = (reason: string, fingerprint: string) =>
  door.logged().some((line) => line['reason'] === reason && line['fingerprint'] === fingerprint);

describe.each(kinds)('a security key of kind %s', (kind) => {
  it('logs in when it was touched, whatever its counter says', async () => {
    const key = await addKey(kind);
    for (const counter of [5, 4, 0, 0xff_ff_ff_ff]) {
      const outcome = await logIn(key, { counter });
      expect(outcome.stderr).toBe('');
      expect(currentKey(outcome)).toBe(key.line);
    }
    expect((await logIn(key, { flags: touched | verified })).status).toBe(0);
  });

  it('untouched: is refused with a sentence, and audited', async () => {
    const key = await addKey(kind);
    for (const flags of [0, verified]) {
      const outcome = await logIn(key, { flags });
      expect(outcome.status).toBe(255);
      expect(outcome.stderr).toContain('this security key must be touched when it signs.');
    }
    expect(wasAudited('user presence', fingerprintOf(key.blob))).toBe(true);
  });

  it('untouched: logs in when the key says no-touch-required, by flag or by option', async () => {
    for (const [flag, option] of [
      ['--no-touch-required', ''],
      ['', 'no-touch-required '],
    ]) {
      const key = await addKey(kind, flag, option);
      expect((await logIn(key, { flags: 0 })).status).toBe(0);
      expect((await logIn(key, { flags: touched })).status).toBe(0);
    }
  });

  it('verify-required: needs the PIN or finger and the touch', async () => {
    for (const [flag, option] of [
      ['--verify-required', ''],
      ['', 'verify-required '],
    ]) {
      const key = await addKey(kind, flag, option);
      expect((await logIn(key, { flags: touched | verified })).status).toBe(0);
      const unverified = await logIn(key, { flags: touched });
      expect(unverified.status).toBe(255);
      expect(unverified.stderr).toContain('must ask for your PIN or finger');
      expect((await logIn(key, { flags: verified })).status).toBe(255);
    }
  });

  it('signing for another application is refused', async () => {
    const key = await addKey(kind);
    const outcome = await logIn(key, { application: 'ssh:other' });
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('Permission denied');
  });

  it('whose signature another key made is refused', async () => {
    const [key, other] = [await addKey(kind), await addKey(kind)];
    expect((await logInSigning(key, (data) => other.sign(data))).status).toBe(255);
  });

  it('joins with an invite when it was touched, and not without', async () => {
    const key = makeSecurityKey(kind);
    const invited = await door.ssh(`invite create --name=sk-${kind} --json`);
    const { code } = JSON.parse(invited.text) as { code: string };
    const join = (flags: number) =>
      logInSigning(key, (data) => key.sign(data, { flags }), 'join', `join+${code}`);
    const untouched = await join(0);
    expect(untouched.stderr).toContain('must be touched');
    expect(untouched.status).toBe(255);
    const joined = await join(touched);
    expect(joined.text).toContain(`Welcome, sk-${kind}`);
  });

  it('malformed-sk-signature: forty ways, all refused, and a right one is accepted after them', async () => {
    const key = await addKey(kind);
    const data = Buffer.alloc(0);
    const names = malformedSignatures(key, data).map(([name]) => name);
    expect(names.length).toBeGreaterThanOrEqual(40);
    const requests = names.map((_, index) => ({
      algorithm: malformedSignatures(key, data)[index]?.[2] ?? key.type,
      blob: key.blob,
      signature: (signed: Buffer) => malformedSignatures(key, signed)[index]?.[1] as Buffer,
    }));
    const honest = { algorithm: key.type, blob: key.blob, signature: (signed: Buffer) => key.sign(signed) };
    const warned = door.logged().filter((line) => Number(line['level']) >= 40).length;
    const answers = await sendForgedLogins(door.port, [...requests, honest]);
    expect(answers).toEqual([...names.map(() => 'refused'), 'accepted']);
    expect(door.logged().filter((line) => Number(line['level']) >= 40)).toHaveLength(warned);
  });

  it('bytes behind the signature field end the connection', async () => {
    const key = await addKey(kind);
    const signature = (signed: Buffer) => key.sign(signed);
    const request = { algorithm: key.type, blob: key.blob, signature, behind: Buffer.alloc(1) };
    expect(await sendForgedLogins(door.port, [request])).toEqual(['disconnected']);
    expect((await logIn(key)).status).toBe(0);
  });
});

describe('what browsers sign', () => {
  it('is refused with a sentence at login', async () => {
    const key = await addKey('ecdsa');
    const algorithm = `webauthn-${key.type}`;
    const signature = (data: Buffer) =>
      Buffer.concat([field(algorithm), field(key.rawSignature(data)), statement({})]);
    const banners: string[] = [];
    const request = { algorithm, blob: key.blob, signature };
    const answers = await sendForgedLogins(door.port, [request], (text) => banners.push(text));
    expect(answers).toEqual(['refused']);
    expect(banners.join()).toContain('Signatures that a web browser makes');
  });

  it('is refused with a sentence as a key', async () => {
    const key = makeSecurityKey('ecdsa');
    const webauthn = `webauthn-${key.line}`;
    const added = await door.ssh('ssh-key add', { stdin: webauthn });
    expect(added.stderr).toContain('keys that sign in a web browser');
    expect(added.status).toBe(2);
  });
});

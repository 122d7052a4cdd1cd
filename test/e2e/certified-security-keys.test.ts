/** Certificates of security keys, made by the real ssh-keygen, carried by an agent, shown by the real ssh. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateTerms, certificateBlob, certify } from '../support/certificates.ts';
import { startCertifiedGateway } from '../support/certified-gateway.ts';
import {
  makeSecurityKey,
  type SecurityKeyKind,
  type SigningTerms,
  touched,
  verified,
} from '../support/security-key.ts';
import { startAgent } from '../support/ssh-agent.ts';
import { makeKeyPair, type Outcome } from '../support/ssh-client.ts';

let gateway: Awaited<ReturnType<typeof startCertifiedGateway>>;
beforeAll(async () => {
  gateway = await startCertifiedGateway();
});
afterAll(() => gateway.door.stop());

const kinds: readonly SecurityKeyKind[] = ['ed25519', 'ecdsa'];

async function logIn(
  kind: SecurityKeyKind,
  terms: Partial<CertificateTerms>,
  signing: SigningTerms,
): Promise<Outcome> {
  const securityKey = makeSecurityKey(kind);
  const key = await makeKeyPair();
  await writeFile(`${key.file}.pub`, securityKey.line);
  const certified = await certify(gateway.authority, key, { principals: 'alice', ...terms });
  const sign = (data: Buffer) => securityKey.sign(data, signing);
  const agent = await startAgent([{ blob: await certificateBlob(certified), sign }]);
  try {
    const agentArgs = ['-o', `IdentityAgent=${agent.socketPath}`, '-o', 'IdentitiesOnly=no'];
    const args = [...agentArgs, '-o', 'LogLevel=INFO'];
    return await gateway.door.ssh('whoami', { key: '/dev/null', args });
  } finally {
    await agent.close();
  }
}

describe.each(kinds)('a certificate of a security key of kind %s', (kind) => {
  it('logs in as its principal when the key was touched, and not otherwise', async () => {
    const outcome = await logIn(kind, {}, { flags: touched });
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toContain('alice');
    const untouched = await logIn(kind, {}, { flags: 0 });
    expect(untouched.stderr).toContain('this security key must be touched when it signs.');
    expect(untouched.status).toBe(255);
  });

  it('made with no-touch-required needs no touch', async () => {
    expect((await logIn(kind, { options: ['no-touch-required'] }, { flags: 0 })).status).toBe(0);
  });

  it('made with verify-required needs PIN or finger', async () => {
    const options = ['verify-required'];
    const unverified = await logIn(kind, { options }, { flags: touched });
    expect(unverified.stderr).toContain('must ask for your PIN or finger');
    expect(unverified.status).toBe(255);
    expect((await logIn(kind, { options }, { flags: touched | verified })).status).toBe(0);
  });
});

/** A gateway that trusts an authority, for tests with certificates. */
import { expect } from 'vitest';
import { startTestGateway, type TestGatewayOptions } from './gateway.ts';
import { type KeyPair, makeKeyPair, type SshOptions } from './ssh-client.ts';

/** A gateway with the members alice, bob and carol, and an authority "office" that covers all but carol, and dora. */
export async function startCertifiedGateway(options: TestGatewayOptions = {}) {
  const door = await startTestGateway(options);
  const authority = await makeKeyPair();
  for (const name of ['alice', 'bob', 'carol']) await door.addMember(name);
  const added = await door.ssh('ca add office --principals-from=alice,bob,admin,dora', {
    stdin: authority.publicKey,
  });
  if (!added.text.includes('There is no account yet called dora.')) throw new Error(added.stderr);
  const whoami = (key: KeyPair, options: SshOptions = {}) => door.ssh('whoami', { key, ...options });
  /** What a certificate that is refused gets: no way in, and this sentence. */
  const expectRefused = async (key: KeyPair, sentence: string) => {
    const outcome = await whoami(key, { args: ['-o', 'LogLevel=INFO'] });
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).toContain('Permission denied');
    expect(outcome.text).toBe('');
    expect(outcome.status).toBe(255);
  };
  return { door, authority, whoami, expectRefused };
}

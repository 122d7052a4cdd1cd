/** Malformed certificates over the wire, one after the other: all refused, and the gateway lives. */
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicKeyBlob } from '../../src/keys/parse-public-key.ts';
import {
  assemble,
  makeSigner,
  malformedCertificates,
  soundFields,
  uint32,
} from '../support/certificate-blobs.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw, ScriptedAgent } from '../support/raw-client.ts';

const holder = makeSigner();
const authority = makeSigner();
const algorithm = 'ssh-ed25519-cert-v01@openssh.com';
const malformed = malformedCertificates(holder, authority);

let door: TestGateway;
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);

beforeAll(async () => {
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', note);
  door = await startTestGateway();
  await door.addMember('alice');
  const key = parsePublicKeyBlob(authority.blob).line;
  await door.ssh("ca add office --principals-from='*'", { stdin: key });
});
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', note);
  process.off('unhandledRejection', note);
  await door.stop();
});

/** What ssh2's client takes for a key: it offers the blob, and signs with the holder's key. */
function offered(blob: Buffer): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(`ssh-ed25519 ${holder.blob.toString('base64')}`) as ssh2.ParsedKey;
  return Object.create(parsed, { type: { value: algorithm }, getPublicSSH: { value: () => blob } });
}

let asked = 0;
const agentFor = (...blobs: Buffer[]) =>
  new ScriptedAgent(blobs.map(offered), (_key, data) => {
    asked++;
    return holder.sign(data);
  });

describe('certificates of a trusted authority that are malformed', () => {
  it('a sound one of the same making logs in', async () => {
    const client = await connectRaw(door.port, {
      agent: agentFor(assemble(soundFields(holder, authority), authority)),
    });
    client.end();
    expect(asked).toBe(1);
  });

  it('one for a host does not', async () => {
    const forHost = { ...soundFields(holder, authority), kind: uint32(2) };
    const agent = agentFor(assemble(forHost, authority));
    await expect(connectRaw(door.port, { agent })).rejects.toThrow(/authentication methods failed/);
    expect(asked).toBe(1);
  });

  it('none of them is even asked to sign, and nothing is thrown', async () => {
    const blobs = [...malformed.values()];
    for (let first = 0; first < blobs.length; first += 10) {
      const agent = agentFor(...blobs.slice(first, first + 10));
      await expect(connectRaw(door.port, { agent })).rejects.toThrow(/authentication methods failed/);
    }
    expect(asked).toBe(1);
    expect(uncaught).toEqual([]);
    const errors = door.logged().filter(({ level }) => Number(level) >= 40);
    expect(errors).toEqual([]);
    expect((await door.ssh('whoami')).text).toContain('Account: admin');
  });
});

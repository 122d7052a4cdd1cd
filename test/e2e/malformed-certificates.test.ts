/** Malformed certificates over the wire, one after the other: all refused, and the gateway lives. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicKeyBlob } from '../../src/keys/parse-public-key.ts';
import {
  assemble,
  makeSigner,
  malformedCertificates,
  soundFields,
  uint32,
} from '../support/certificate-blobs.ts';
import { type ForgedRequest, sendForgedLogins } from '../support/forged-login.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

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

/** Signed by the holder as an honest client does: the signature names the plain algorithm. */
const loginWith = (blob: Buffer): ForgedRequest => ({
  algorithm,
  blob,
  signature: (data) => holder.sign(data),
});

describe('certificates of a trusted authority that are malformed', () => {
  it('a sound one of the same making logs in', async () => {
    const sound = assemble(soundFields(holder, authority), authority);
    expect(await sendForgedLogins(door.port, [loginWith(sound)])).toEqual(['accepted']);
  });

  it('one for a host does not', async () => {
    const forHost = assemble({ ...soundFields(holder, authority), kind: uint32(2) }, authority);
    expect(await sendForgedLogins(door.port, [loginWith(forHost)])).toEqual(['refused']);
  });

  it('none of them is let in, and nothing is thrown', async () => {
    const blobs = [...malformed.values()];
    for (let first = 0; first < blobs.length; first += 5) {
      const requests = blobs.slice(first, first + 5).map(loginWith);
      expect(await sendForgedLogins(door.port, requests)).toEqual(requests.map(() => 'refused'));
    }
    expect(uncaught).toEqual([]);
    const errors = door.logged().filter(({ level }) => Number(level) >= 40);
    expect(errors).toEqual([]);
    expect((await door.ssh('whoami')).text).toContain('Account: admin');
  });
});

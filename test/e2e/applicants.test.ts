/** Whoever has an invite and has not joined: any key will do, and nobody is logged in yet. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openSocket } from '../support/raw-client.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

async function makeInvite(door: TestGateway): Promise<string> {
  const { code } = JSON.parse((await door.ssh('invite create --json')).text) as { code: string };
  return code;
}

/** Connects with a key of its own, and does not join. */
async function connectWith(door: TestGateway, code: string): Promise<ssh2.Client> {
  const privateKey = await readFile((await makeKeyPair()).file);
  const client = new ssh2.Client();
  client.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('close', () => reject(new Error('it was not let in')));
    client.connect({ host: '127.0.0.1', port: door.port, username: `join+${code}`, privateKey });
  });
  return client;
}

const closed = (client: ssh2.Client) => new Promise<void>((resolve) => client.once('close', () => resolve()));

it('applicants-without-end: who has not joined counts toward PerSourceMaxStartups until they are gone', async () => {
  const door = await startTestGateway({ config: { perSourceMaxStartups: 2 } });
  try {
    const code = await makeInvite(door);
    const [first, second] = [await connectWith(door, code), await connectWith(door, code)];
    expect((await openSocket(door.port, 'SSH-2.0-x\r\n').closed).toString()).toBe('');
    const gone = closed(first);
    first.end();
    await gone;
    await expect.poll(async () => (await door.ssh('whoami')).status).toBe(0);
    second.end();
  } finally {
    await door.stop();
  }
});

it('applicants-without-end: who does not join is disconnected after five times LoginGraceTime', async () => {
  const door = await startTestGateway();
  try {
    const code = await makeInvite(door);
    await door.reconfigure({ loginGraceTimeMs: 2_000 });
    // A busy machine may need longer for a login.
    const client = await connectWith(door, code).catch(() => connectWith(door, code));
    await closed(client);
    // The client may see its end before the gateway does.
    await expect
      .poll(() => door.logged())
      .toContainEqual(
        expect.objectContaining({ audit: 'connection-closed', reason: 'nobody joined in time' }),
      );
  } finally {
    await door.stop();
  }
}, 60_000);

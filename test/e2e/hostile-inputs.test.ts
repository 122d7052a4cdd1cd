/** Each hostile text in each place where a stranger's text comes in: a clear answer, no crash, no raw control character. */
import { readFile } from 'node:fs/promises';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import { connectRaw } from '../support/raw-client.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

let door: TestGateway;
let container: TestContainer;
let client: Client;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), startContainer()]);
  client = await connectRaw(door.port, { privateKey: await readFile(door.admin.file) });
});
afterAll(async () => {
  client.end();
  await removeContainer(container);
  await door.stop();
});

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | undefined;
}

function exec(command: string, stdin: string | Buffer = '', on: Client = client): Promise<Answer> {
  return new Promise((resolve) => {
    on.exec(command, (error, stream) => {
      if (error) return resolve({ stdout: '', stderr: error.message, status: 255 });
      let stdout = '';
      let stderr = '';
      let status: number | undefined;
      stream.on('data', (chunk: Buffer) => {
        stdout += chunk;
      });
      stream.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk;
      });
      stream.on('exit', (code: number) => {
        status = code;
      });
      stream.on('close', () => resolve({ stdout, stderr, status }));
      stream.end(stdin);
    });
  });
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** An answer that people and terminals can live with. */
function expectClear({ stdout, stderr, status }: Answer): void {
  expect(status).toBeTypeOf('number');
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
  expect(stderr).not.toMatch(/internal error|TypeError|(?<!")undefined|\[object|at .+\.[jt]s:\d/);
  if (status !== 0) expect(stderr).toMatch(/^(postern: .+|\(SSH\) .+|Unable to exec)/);
}

const publicKey = async () => (await makeKeyPair()).publicKey.split(' ').slice(0, 2).join(' ');

describe('hostile text', () => {
  it.each(hostileTexts.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    'as a line: %s',
    async (_name, text) => {
      expectClear(await exec(text));
    },
  );

  const places: readonly [string, (text: string) => string][] = [
    ['a key to remove', (text) => `ssh-key remove ${quote(text)}`],
    ['a new key name', (text) => `ssh-key rename ed25519-test ${quote(text)}`],
    ['an account name', (text) => `account add ${quote(text)}`],
    ['an invited name', (text) => `invite create --name=${quote(text)}`],
    ['a target', (text) => `connect ${quote(text)}`],
    ['a session in a target', (text) => `ssh ${quote(text)} true`],
    ['a tag', (text) => `tag ${container.name} ${quote(text)}`],
    ['a grantee', (text) => `share add ${container.name} ${quote(text)}`],
    ['an expiry', (text) => `ssh-key add --exp=${quote(text)} x`],
    ['an alias', (text) => `ssh-config --name=${quote(text)}`],
    ['help', (text) => `help ${quote(text)} --json`],
  ];
  it.each(places)('as %s', async (_place, line) => {
    for (const text of hostileTexts) expectClear(await exec(line(text)));
    await exec(`tag ${container.name} --clear`);
    // A rename to a harmless-looking hostile name may have worked; the next place starts over.
    for (const key of (
      JSON.parse((await exec('ssh-key list --json')).stdout) as {
        ssh_keys: { name: string; current: boolean }[];
      }
    ).ssh_keys) {
      if (key.current && key.name !== 'ed25519-test')
        await exec(`ssh-key rename ${quote(key.name)} ed25519-test`);
    }
  });

  it('as the comment of a key', async () => {
    for (const text of hostileTexts) {
      expectClear(await exec('ssh-key add', `${await publicKey()} ${text}\n`));
    }
    expectClear(await exec('ssh-key list'));
    expectClear(await exec('whoami --json'));
  });

  it('as a key', async () => {
    for (const text of hostileTexts) {
      expectClear(await exec('ssh-key add', text));
      expectClear(await exec('ssh-key add', `ssh-ed25519 ${text}`));
      expectClear(
        await exec(
          'ssh-key add',
          `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${Buffer.from(text).toString('base64')}`,
        ),
      );
    }
    expectClear(await exec('ssh-key add', Buffer.alloc(200_000, 'A')));
    expectClear(await exec('ssh-key add', Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0x0a])));
  });

  it('as a login name', async () => {
    const privateKey = await readFile(door.admin.file);
    const usable = hostileTexts.filter((text) => text !== '' && text.length < 1_000);
    for (const username of usable) {
      const connected = await connectRaw(door.port, { privateKey, username }).catch((error: Error) => error);
      if (connected instanceof Error) continue;
      expectClear(await exec('whoami', '', connected));
      connected.end();
    }
    expect((await exec('whoami')).status).toBe(0);
  });

  it('as a user in a container, and as a program there', async () => {
    const privateKey = await readFile(door.admin.file);
    for (const text of hostileTexts
      .filter((candidate) => candidate !== '' && candidate.length < 1_000)
      .slice(0, 40)) {
      const connected = await connectRaw(door.port, {
        privateKey,
        username: `${text}+${container.name}`,
      }).catch(() => undefined);
      if (!connected) continue;
      const answer = await exec('true', '', connected);
      expect(answer.status).toBe(255);
      expectClear(answer);
      connected.end();
    }
  });

  it('as env names and values: never interpreted by a shell', async () => {
    const connected = await connectRaw(door.port, {
      privateKey: await readFile(door.admin.file),
      username: `rexec-${container.name}`,
    });
    const env = Object.fromEntries(
      hostileTexts.slice(0, 60).map((text, index) => [`LC_${index}${text}`, text]),
    );
    const answer = await new Promise<string>((resolve) =>
      connected.exec('env', { env }, (_error, stream) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        stream.on('close', () => resolve(text));
      }),
    );
    connected.end();
    expect(answer).not.toContain('uid=');
    expect(answer).not.toMatch(/^LC_\d+[^=\w]/m);
  });

  it('broken UTF-8 in an exec request is answered', async () => {
    const answer = await new Promise<Buffer>((resolve) =>
      client.exec('version', (_error, stream) => {
        const { outgoing } = stream as unknown as { outgoing: { id: number } };
        const broken = Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]);
        sendPayload(
          client as never,
          Buffer.concat([byte(98), uint32(outgoing.id), string('exec'), boolean(false), string(broken)]),
        );
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('close', () => resolve(Buffer.concat(chunks)));
      }),
    );
    expect(answer.toString()).toContain('postern');
    expectClear(await exec('\ufffd\ufffd'));
  });

  it('and the gateway still stands', async () => {
    expect((await exec('whoami')).stdout).toContain('admin');
    expect(door.logged().filter((line) => line['msg'] === 'internal error')).toEqual([]);
  });
});

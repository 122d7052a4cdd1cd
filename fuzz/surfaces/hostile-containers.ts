/** What a hostile container or a mad engine may answer: archives, framing, the helper of sftp, sidecars, residents. */
import { duplexPair, type Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { GatewayError } from '../../src/errors.ts';
import { findContainerFile } from '../../src/targets/container/archive-file.ts';
import type { EngineApi } from '../../src/targets/container/engine-api.ts';
import { createFrameReader } from '../../src/targets/container/frames.ts';
import { findGid, findSessionUser, parsePasswd } from '../../src/targets/container/passwd.ts';
import { FileFailure } from '../../src/targets/container/sftp/file-operations.ts';
import { createHelperChannel } from '../../src/targets/container/sftp/helper-channel.ts';
import { createShellFiles } from '../../src/targets/container/sftp/shell-files.ts';
import {
  greet,
  InsideLost,
  InsideRefusal,
  speak,
} from '../../src/targets/container/sidecar/inside-connection.ts';
import { readConnections } from '../../src/targets/container/sidecar/read-connections.ts';
import { mutant } from '../mutate.ts';
import { createSink, peerThatSays, readableOf } from '../streams.ts';
import { expectThat, type Surface } from '../surface.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/bash\n# no\nbob:x:-1:z\n';
const group = 'root:x:0:\nwheel:x:10:alice,bob\n';

async function archiveOf(entries: readonly (readonly [name: string, content: string, linkname?: string])[]) {
  const tar = pack();
  for (const [name, content, linkname] of entries) {
    if (linkname === undefined) tar.entry({ name }, content);
    else tar.entry({ name, type: 'symlink', linkname });
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const archives: Surface = {
  pace: 'in this process',
  async open() {
    const seeds = [
      await archiveOf([['passwd', passwd]]),
      await archiveOf([['group', group]]),
      await archiveOf([['passwd', '', '/usr/lib/passwd']]),
      await archiveOf([[`${'long/'.repeat(60)}passwd`, passwd]]),
      Buffer.from(passwd),
    ];
    return {
      generate: (random) => mutant(seeds, random),
      async run(input) {
        const engine = {
          findArchive: async () => readableOf(input),
          findPath: async () => ({ linkTarget: '/other' }),
        } as unknown as EngineApi;
        let content: Buffer | undefined = input;
        try {
          content = await findContainerFile(engine, 'id', '/etc/passwd');
        } catch (error) {
          // Of tar-stream, and none of ours: it is told as the engine's failure.
          expectThat(error instanceof Error, 'thrown, and no error');
        }
        const text = (content ?? input).toString('utf8');
        const entries = parsePasswd(text);
        for (const user of ['root', 'alice', '0', '1000', 'alice:0', ''])
          findSessionUser(entries, user, 'alice:wheel');
        findGid(text, 'wheel');
      },
      close: async () => {},
    };
  },
};

const frame = (stream: number, text: string) => {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
};
const frames = [
  Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, '')]),
  frame(3, 'engine: it failed'),
];
const listed = [Buffer.from('1 127.0.0.1 4000\n2 ::1 65535\n'), Buffer.from('999999999999 fe80::1%eth0 1\n')];

/** Docker's framing, and what a sidecar tells of connections. */
export const outputFrames: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(random.oneIn(2) ? frames : listed, random),
    async run(input) {
      let bytes = 0;
      const read = createFrameReader((_stream, data) => {
        bytes += data.length;
      });
      try {
        for await (const piece of readableOf(input)) read(piece as Buffer);
      } catch (error) {
        expectThat(
          (error as Error).message.includes('framing'),
          `it failed otherwise: ${(error as Error).stack}`,
        );
      }
      expectThat(bytes <= input.length, 'more came out than went in');
      const stream = peerThatSays(input);
      readConnections(stream, (id, { port }) =>
        expectThat(/^\d{1,12}$/.test(id) && port <= 99_999, 'an odd connection'),
      );
      await new Promise((resolve) => stream.once('close', resolve).once('end', resolve));
      stream.destroy();
    },
    close: async () => {},
  }),
};

const helperAnswers = [
  'ID:0::ID;',
  '81a4 5 0 0 1 1 1\nID:0::ID;',
  'ID 81a4 5 0 0 1 1 1 ./a\nID 41ed 0 0 0 1 1 2 ./b\nID:0::ID;',
  'ID:1:cat: x: No such file or directory:ID;',
  '/home/a\nID:0::ID;',
  '4096 4096 9 9 9 9 9 255\nID:0::ID;',
].map((text) => Buffer.from(text));

/** `ID` stands for the number of the question, which a container may know as it reads it. */
export const helperOutput: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(helperAnswers, random),
    async run(input) {
      const asked = createSink();
      const helper = createHelperChannel(asked);
      const files = createShellFiles(helper, new Map([['', '/root']]));
      const questions = [
        files.stat('/a', true),
        files.openFolder('/').then((folder) => folder.read()),
        files.resolve('/b'),
        files.statFilesystem('/'),
      ];
      const told = Promise.allSettled(questions);
      await new Promise((resolve) => setImmediate(resolve));
      for (const line of asked.first().toString('latin1').split('\n')) {
        const [id = ''] = line.split(' ');
        helper.feed(Buffer.from(input.toString('latin1').replaceAll('ID', id), 'latin1'));
      }
      helper.end();
      for (const answer of await told) {
        const isExpected = answer.status === 'fulfilled' || answer.reason instanceof FileFailure;
        expectThat(
          isExpected,
          `a file operation failed otherwise: ${(answer as PromiseRejectedResult).reason}`,
        );
      }
    },
    close: async () => {},
  }),
};

/** A frame of HTTP/2, RFC 9113 §4.1. */
function http2Frame(type: number, flags: number, stream: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, bytes]);
}
const settings = http2Frame(4, 0, 0, '');
const settingsTaken = http2Frame(4, 1, 0, '');
/** `:status 200` of the static table, RFC 7541; then `x-pid: 42`, literally. */
const head = Buffer.concat([
  Buffer.from([0x88, 0x00, 5]),
  Buffer.from('x-pid'),
  Buffer.from([2]),
  Buffer.from('42'),
]);
const trailers = Buffer.concat([
  Buffer.from([0x00, 6]),
  Buffer.from('x-exit'),
  Buffer.from([1]),
  Buffer.from('7'),
]);
const conversations = [
  [
    settings,
    settingsTaken,
    http2Frame(1, 4, 1, head),
    http2Frame(0, 0, 1, frame(1, 'out')),
    http2Frame(1, 5, 1, trailers),
  ],
  [settings, http2Frame(1, 5, 1, Buffer.from([0x8d]))],
  [
    settings,
    settingsTaken,
    http2Frame(8, 0, 0, Buffer.from([0, 1, 0, 0])),
    http2Frame(3, 0, 1, Buffer.alloc(4)),
  ],
  [settings, http2Frame(6, 0, 0, Buffer.alloc(8)), http2Frame(7, 0, 0, Buffer.alloc(8))],
  [settings, http2Frame(5, 4, 1, Buffer.alloc(8)), http2Frame(9, 4, 1, head)],
].map((each) => Buffer.concat(each));

/** Programs of ours in containers, as whoever is root there may replace them. */
export const insidePrograms: Surface = {
  pace: 'in this process',
  // Node 24 holds an HTTP/2 session whose SETTINGS were never acknowledged by the callback that waits for that.
  keptByNode: 4_096,
  open: async () => ({
    generate: (random) => mutant(conversations, random),
    async run(input) {
      const [stdio, far] = duplexPair();
      far.on('error', () => {}).resume();
      far.end(input);
      const session = await greet(stdio, 500).catch(() => undefined);
      if (!session) return void stdio.destroy();
      const inside = speak(session, stdio, () => {});
      try {
        const { stream, trailers: told } = await inside.ask('/run', Buffer.from('order'));
        for await (const _ of stream as Readable) told();
      } catch (error) {
        const isExpected =
          error instanceof InsideLost || error instanceof InsideRefusal || error instanceof GatewayError;
        expectThat(
          isExpected || 'code' in (error as Error),
          `it failed otherwise: ${(error as Error).stack}`,
        );
      } finally {
        inside.close();
        stdio.destroy();
      }
    },
    close: async () => {},
  }),
};

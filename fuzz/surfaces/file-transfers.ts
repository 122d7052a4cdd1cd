/** Clients of our SFTP server and of the far end of `scp -O`, over files in memory. */

import { string, uint32 } from '../../src/ssh/wire.ts';
import { parseScpCommand } from '../../src/targets/container/scp/scp-command.ts';
import { serveScp } from '../../src/targets/container/scp/serve-scp.ts';
import { FileFailure } from '../../src/targets/container/sftp/file-operations.ts';
import { MalformedMessage, messageTypes } from '../../src/targets/container/sftp/messages.ts';
import { serveSftp } from '../../src/targets/container/sftp/sftp-server.ts';
import { createMemoryFiles } from '../memory-files.ts';
import { mutant, mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { createSink, joinMessages, readableOf, shuffled, splitMessages } from '../streams.ts';
import { expectThat, type Surface } from '../surface.ts';

const maxAnswersFor = (input: Buffer) => 4 * 1024 * 1024 + input.length * 40;

const request = (type: number, ...parts: Buffer[]) => Buffer.concat([Buffer.from([type]), ...parts]);
const id = uint32(7);
const handle = string('0');
const uint64 = (value: number) => Buffer.concat([uint32(0), uint32(value)]);
const noAttributes = uint32(0);
const path = string('/home/a');

const sftpRequests: readonly Buffer[] = [
  request(messageTypes.open, id, path, uint32(3), noAttributes),
  request(messageTypes.open, id, string('b'), uint32(0x1a), uint32(4), uint32(0o600)),
  request(messageTypes.read, id, handle, uint64(0), uint32(32_768)),
  request(messageTypes.write, id, handle, uint64(2), string('data')),
  request(messageTypes.write, id, handle, uint64(6), string('more')),
  request(messageTypes.fstat, id, handle),
  request(messageTypes.fsetstat, id, handle, uint32(1), uint64(3)),
  request(messageTypes.close, id, handle),
  request(messageTypes.opendir, id, string('/home')),
  request(messageTypes.readdir, id, handle),
  request(
    messageTypes.setstat,
    id,
    path,
    uint32(0x8000_000f),
    uint64(1),
    uint32(1),
    uint32(2),
    uint32(3),
    uint32(4),
  ),
  request(messageTypes.rename, id, path, string('/home/c')),
  request(messageTypes.symlink, id, string('target'), string('/home/link')),
  ...[
    messageTypes.lstat,
    messageTypes.stat,
    messageTypes.remove,
    messageTypes.rmdir,
    messageTypes.realpath,
  ].map((type) => request(type, id, path)),
  request(messageTypes.mkdir, id, string('/home/d'), noAttributes),
  request(messageTypes.readlink, id, string('/home/link')),
  ...['statvfs@openssh.com', 'posix-rename@openssh.com', 'hardlink@openssh.com', 'fsync@openssh.com'].map(
    (name) => request(messageTypes.extended, id, string(name), path, string('/home/e')),
  ),
  ...[
    'limits@openssh.com',
    'expand-path@openssh.com',
    'copy-data',
    'home-directory',
    'lsetstat@openssh.com',
  ].map((name) =>
    request(messageTypes.extended, id, string(name), handle, uint64(0), uint64(9), handle, uint64(0)),
  ),
];
const greeting = request(messageTypes.init, uint32(3));

const sftpStream = (random: Random) => {
  const asked = Array.from({ length: 1 + random.below(8) }, () => random.pick(sftpRequests));
  const changed = asked.map((each) => (random.oneIn(2) ? mutate(each, random, sftpRequests) : each));
  const stream = joinMessages(shuffled([...(random.oneIn(30) ? [] : [greeting]), ...changed], random));
  return random.oneIn(6) ? mutate(stream, random, sftpRequests) : stream;
};

export const sftpRequestsSurface: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: sftpStream,
    async run(input) {
      const answers = createSink();
      try {
        await serveSftp(readableOf(input), answers, createMemoryFiles(), new AbortController().signal);
      } catch (error) {
        if (!(error instanceof MalformedMessage)) throw error;
      }
      expectThat(answers.bytes < maxAnswersFor(input), `${answers.bytes} bytes of answers`);
    },
    close: async () => {},
  }),
};

const scpCommands = [
  'scp -t /home',
  'scp -r -p -t -- /home/d',
  'scp -f /home/a',
  "scp -r -f '/home'",
  'scp -d -t x y',
];
const scpStreams = [
  'T1700000000 0 1700000000 0\nC0644 4 a\ntext\0',
  'D0755 0 d\nC0600 2 b\nhi\0E\n',
  '\0\0\0\0\0\0',
  '\x01scp: no\n\0',
  '\x02scp: fatal\n',
  'C0644 4 ../a\ntext\0',
].map((text) => Buffer.from(text, 'latin1'));

/** A command line, and what the client then says. */
export const scpLines: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate(random) {
      const line = Buffer.from(random.pick(scpCommands));
      const command = random.oneIn(5) ? mutate(line, random, scpStreams) : line;
      const said = random.oneIn(3)
        ? Buffer.concat([random.pick(scpStreams), random.pick(scpStreams)])
        : random.pick(scpStreams);
      return joinMessages([command, mutant([said, ...scpStreams], random)]);
    },
    async run(input) {
      const [line = Buffer.alloc(0), said = Buffer.alloc(0)] = splitMessages(input);
      const command = parseScpCommand(line.toString('latin1'));
      if (!command) return;
      const answers = createSink();
      const transfer = { ...command, paths: command.words.split(' ') };
      try {
        await serveScp(
          transfer,
          readableOf(said),
          answers,
          createMemoryFiles(),
          new AbortController().signal,
        );
      } catch (error) {
        if (!(error instanceof FileFailure)) throw error;
      }
      expectThat(answers.bytes < maxAnswersFor(input), `${answers.bytes} bytes of answers`);
    },
    close: async () => {},
  }),
};

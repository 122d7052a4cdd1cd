/** The extensions of OpenSSH that are offered; its PROTOCOL file, §4. */
import { readAttributes } from './attributes.ts';
import type { FilesystemFacts } from './file-operations.ts';
import { maxHandles } from './handles.ts';
import { type FieldReader, maxMessageBytes, messageTypes, stringField, uint32, uint64 } from './messages.ts';
import type { Answer, RequestParts } from './requests.ts';

type ExtensionHandler = (reader: FieldReader, parts: RequestParts) => Promise<Answer | 'done'>;

const filesystemAnswer = (facts: FilesystemFacts): Answer => ({
  type: messageTypes.extendedReply,
  fields: [
    ...[facts.blockSize, facts.fragmentSize, facts.blocks, facts.freeBlocks, facts.availableBlocks],
    ...[facts.files, facts.freeFiles, facts.freeFiles, 0, 0, facts.maxNameLength],
  ].map(uint64),
});

/** OpenSSH's own figure: what is left of a message for data. */
const maxDataBytes = maxMessageBytes - 1_024;

const twoPaths =
  (run: (parts: RequestParts, from: string, to: string) => Promise<void>): ExtensionHandler =>
  async (reader, parts) => {
    await run(parts, await parts.pathOf(reader.readPath()), await parts.pathOf(reader.readPath()));
    return 'done';
  };

export const extensionHandlers: ReadonlyMap<string, ExtensionHandler> = new Map<string, ExtensionHandler>([
  ['posix-rename@openssh.com', twoPaths(({ files }, from, to) => files.rename(from, to, true))],
  ['hardlink@openssh.com', twoPaths(({ files }, from, to) => files.hardLink(from, to))],
  [
    'statvfs@openssh.com',
    async (reader, { files, pathOf }) =>
      filesystemAnswer(await files.statFilesystem(await pathOf(reader.readPath()))),
  ],
  [
    'fstatvfs@openssh.com',
    async (reader, { files, handles }) =>
      filesystemAnswer(await files.statFilesystem(handles.getFile(reader.readString()).path)),
  ],
  [
    'fsync@openssh.com',
    async (reader, { handles }) => {
      await handles.getFile(reader.readString()).sync();
      return 'done';
    },
  ],
  [
    'lsetstat@openssh.com',
    async (reader, { files, pathOf }) => {
      const path = await pathOf(reader.readPath());
      await files.setAttributes(path, readAttributes(reader), false);
      return 'done';
    },
  ],
  [
    'limits@openssh.com',
    async () => ({
      type: messageTypes.extendedReply,
      fields: [maxMessageBytes, maxDataBytes, maxDataBytes, maxHandles].map(uint64),
    }),
  ],
  [
    'expand-path@openssh.com',
    async (reader, { files, pathOf }) => {
      const path = reader.readPath();
      const [, name, rest] = /^~([^/]*)([\s\S]*)$/.exec(path) ?? [];
      const whole = name === undefined ? path : `${await files.findHome(name)}${rest}`;
      const resolved = await files.resolve(await pathOf(whole));
      const fields = [uint32(1), stringField(resolved), stringField(resolved), uint32(0)];
      return { type: messageTypes.name, fields };
    },
  ],
]);

const versions: Readonly<Record<string, string>> = {
  'statvfs@openssh.com': '2',
  'fstatvfs@openssh.com': '2',
};

/** As VERSION tells them. */
export const offeredExtensions = [...extensionHandlers.keys()].flatMap((name) => [
  stringField(name),
  stringField(versions[name] ?? '1'),
]);

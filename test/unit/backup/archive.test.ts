import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { packBackup, unpackBackup } from '../../../src/backup/archive.ts';
import { runProgram } from '../../support/ssh-client.ts';

const facts = {
  version: '0.1.0',
  createdAt: '2026-01-02T03:04:05.000Z',
  auditHead: { seq: 7, hash: 'a'.repeat(64) },
};
const store = Buffer.from('{}');
const made = (files: Record<string, Buffer> = {}) =>
  packBackup(facts, new Map(Object.entries({ 'store/postern.json': store, ...files })));

/** A tar file with these members, whatever they are. */
async function tar(
  members: readonly { name: string; content?: string; type?: 'symlink'; linkname?: string }[],
) {
  const archive = pack();
  for (const { content = '', ...header } of members) archive.entry({ type: 'file', ...header }, content);
  archive.finalize();
  return buffer(archive);
}

const manifest = (files: readonly object[], more: object = {}) => ({
  name: 'manifest.json',
  content: JSON.stringify({ format: 'postern-backup', formatVersion: 1, ...facts, files, ...more }),
});

describe('a backup', () => {
  it('holds what was put into it, and says of when it is', async () => {
    const { manifest: read, files } = await unpackBackup(
      await made({ 'data/identities/a b': Buffer.from('key') }),
    );
    expect(read).toMatchObject(facts);
    expect(files).toEqual(
      new Map([
        ['store/postern.json', store],
        ['data/identities/a b', Buffer.from('key')],
      ]),
    );
  });

  it('is a tar file that tar lists, manifest first', async () => {
    const listed = await runProgram('tar', ['-tf', '-'], { stdin: await made() });
    expect(listed.text).toBe('manifest.json\nstore/postern.json\n');
  });
});

describe('what is refused as a backup', () => {
  it('a byte that was changed anywhere in a file', async () => {
    const bytes = await made({ 'hostkeys/ssh_host_ed25519_key': Buffer.from('the key') });
    bytes[bytes.indexOf('the key')] = 0;
    await expect(unpackBackup(bytes)).rejects.toThrow(/ssh_host_ed25519_key" was changed or damaged/);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['noise', Buffer.alloc(4096, 0xa5)],
  ])('%s', async (_what, bytes) => {
    await expect(unpackBackup(bytes)).rejects.toThrow(/it is no backup made by "postern backup"/);
  });

  it('half of one', async () => {
    const bytes = await made({ 'data/identities/a': Buffer.alloc(100_000, 1) });
    await expect(unpackBackup(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(/cannot be restored/);
  });

  it('one of a newer format', async () => {
    const bytes = await tar([manifest([], { formatVersion: 2 })]);
    await expect(unpackBackup(bytes)).rejects.toThrow(/a newer version of Postern made it \(format 2\)/);
  });

  it('a file that the manifest does not list', async () => {
    await expect(unpackBackup(await tar([manifest([]), { name: 'store/postern.json' }]))).rejects.toThrow(
      /does not list "store\/postern.json"/,
    );
  });

  it('path-escape: a name that leads out of the folders, or to other files in them', async () => {
    const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const names = [
      '../../etc/passwd',
      '/etc/passwd',
      'data/identities/../../x',
      'data/identities/..',
      'data/control.sock',
      'data/lock.db',
      'data/audit/audit.jsonl',
      'hostkeys/../data/postern.json',
      'hostkeys/authorized_keys',
      'store/other.json',
      'data/identities/a\u0000b',
    ];
    for (const name of names) {
      const bytes = await tar([manifest([{ name, bytes: 0, sha256 }]), { name }]);
      await expect(unpackBackup(bytes), name).rejects.toThrow(/is no file of a gateway|cannot be restored/);
    }
  });

  it('a link in place of a file', async () => {
    const bytes = await tar([
      manifest([]),
      { name: 'data/identities/x', type: 'symlink', linkname: '/etc/passwd' },
    ]);
    await expect(unpackBackup(bytes)).rejects.toThrow(/is no plain file/);
  });

  it('one without a store', async () => {
    await expect(unpackBackup(await tar([manifest([])]))).rejects.toThrow(/there is no store in it/);
  });
});

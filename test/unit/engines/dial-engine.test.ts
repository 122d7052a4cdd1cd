/** Connecting to engines: what proves them, and what an attacker in between gains. */
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { type AddressInfo, createServer as createPlainServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDialEngine } from '../../../src/engines/dial-engine.ts';
import { readTlsFiles } from '../../../src/engines/tls-files.ts';
import type { EngineRow } from '../../../src/store/schema.ts';
import { type EngineCertificates, makeEngineCertificates } from '../../support/engine-certificates.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

let mine: EngineCertificates;
let others: EngineCertificates;
let dataDir: string;
let server: Server | undefined;
const seen: string[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-dial-'));
  [mine, others] = await Promise.all([
    makeEngineCertificates('IP:127.0.0.1,DNS:localhost'),
    makeEngineCertificates('IP:127.0.0.1,DNS:localhost'),
  ]);
  await mine.installIn(dataDir, 'prod');
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
  for (const each of [mine, others]) await each.remove();
});
afterEach(() => {
  server?.close();
  seen.length = 0;
});

const read = (certificates: EngineCertificates, name: string) => readFile(join(certificates.folder, name));

/** A TLS server that wants certificates of `mine`, and notes what it is sent. */
async function serve(certificates: EngineCertificates, maxVersion?: 'TLSv1.1') {
  const options = {
    cert: await read(certificates, 'server-cert.pem'),
    key: await read(certificates, 'server-key.pem'),
    ca: await read(mine, 'ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
    ...(maxVersion ? { maxVersion, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
  };
  const tls = createServer(options, (socket) => {
    socket.on('error', () => {}).on('data', (chunk) => seen.push(chunk.toString()));
    socket.write('hello');
  });
  server = tls.on('tlsClientError', () => {});
  return listening(tls);
}

const listening = (listener: Server) =>
  new Promise<number>((resolve) => {
    listener.listen(0, '127.0.0.1', () => resolve((listener.address() as AddressInfo).port));
  });

const dial = (facts: Partial<EngineRow>, withinMs = 30_000) =>
  createDialEngine({
    store: createMemoryStore(),
    dataDir,
    hostEngine: { dialSocket: () => Promise.reject(new Error('no host')) },
    withinMs: () => withinMs,
  })({ id: 'x', name: 'prod', url: '', createdBy: 'operator', createdAt: '', ...facts });

const tls = (port: number, facts: Partial<EngineRow> = {}) =>
  dial({ url: `tcp://127.0.0.1:${port}`, tls: 'prod', ...facts });

describe('an engine over TLS', () => {
  it('is spoken to when both sides have proven themselves', async () => {
    const stream = await tls(await serve(mine));
    const [first] = (await once(stream, 'data')) as [Buffer];
    expect(first.toString()).toBe('hello');
    stream.write('and so');
    await expect.poll(() => seen).toEqual(['and so']);
    stream.destroy();
  });

  it('with a certificate of another authority is refused, and sent nothing', async () => {
    await expect(tls(await serve(others))).rejects.toThrow(/cannot be reached \(TLS: UNABLE_TO_VERIFY/);
    expect(seen).toEqual([]);
  });

  it('by another name than its certificate has is refused', async () => {
    const elsewhere = await makeEngineCertificates('DNS:other.example.com');
    await elsewhere.installIn(dataDir, 'elsewhere');
    const port = await serve(elsewhere);
    await expect(tls(port, { tls: 'elsewhere' })).rejects.toThrow(/TLS: ERR_TLS_CERT_ALTNAME_INVALID/);
    await expect(dial({ url: `tcp://localhost:${port}`, tls: 'elsewhere' })).rejects.toThrow(
      /TLS: ERR_TLS_CERT_ALTNAME_INVALID/,
    );
    await elsewhere.remove();
  });

  it('nor does NODE_TLS_REJECT_UNAUTHORIZED=0 turn that off', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await expect(tls(await serve(others))).rejects.toThrow(/TLS: UNABLE_TO_VERIFY/);
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  it('in TLS 1.1 is refused', async () => {
    await expect(tls(await serve(mine, 'TLSv1.1'))).rejects.toThrow(/cannot be reached/);
  });

  it('that speaks no TLS, or nothing at all, is given up in time', async () => {
    const silent = createPlainServer(() => {});
    server = silent;
    const port = await listening(silent);
    await expect(dial({ url: `tcp://127.0.0.1:${port}`, tls: 'prod' }, 300)).rejects.toThrow(
      /cannot be reached/,
    );
    server = createPlainServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await expect(tls(await listening(server))).rejects.toThrow(/cannot be reached/);
  });

  it('a key that others may read, a link, and files that do not fit are not used', async () => {
    const port = await serve(mine);
    await mine.installIn(dataDir, 'open');
    await chmod(join(dataDir, 'identities/open/key.pem'), 0o644);
    await mine.installIn(dataDir, 'mixed');
    await copyFile(join(others.folder, 'key.pem'), join(dataDir, 'identities/mixed/key.pem'));
    await mkdir(join(dataDir, 'identities/linked'));
    for (const name of ['ca', 'cert', 'key']) {
      await symlink(join(mine.folder, `${name}.pem`), join(dataDir, `identities/linked/${name}.pem`));
    }
    for (const folder of ['open', 'mixed', 'linked', 'missing', '../prod', '/etc/ssl']) {
      await expect(tls(port, { tls: folder })).rejects.toThrow('the files of --tls cannot be used');
    }
    await expect(readTlsFiles(dataDir, 'open')).rejects.toThrow('can be read by others');
    await expect(readTlsFiles(dataDir, 'mixed')).rejects.toThrow('cannot be used together');
  });

  it('no sentence holds anything of the key', async () => {
    const key = (await readFile(join(mine.folder, 'key.pem'), 'latin1')).split('\n')[1] as string;
    for (const folder of ['open', 'mixed', 'linked']) {
      const error = await readTlsFiles(dataDir, folder).catch((each: Error) => each);
      expect(inspect(error, { depth: 9 })).not.toContain(key.slice(0, 16));
    }
  });
});

describe('what people are told', () => {
  it('names no address', async () => {
    const error = await dial({ url: 'tcp://127.0.0.1:1', tls: 'prod' }).catch((each: Error) => each);
    expect(error).toMatchObject({ code: 'engine-unavailable' });
    expect((error as Error).message).not.toContain('127.0.0.1');
  });

  it('says that the way through a host is closed where its row is gone', async () => {
    await expect(dial({ url: 'unix:///var/run/docker.sock', ssh: 'gone' })).rejects.toThrow(
      'the way through its host is closed',
    );
  });
});

/** An authority with certificates for an engine and for a gateway, made by the real openssl. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface EngineCertificates {
  /** Not in /tmp, which an engine elsewhere does not see. With ca.pem, server-cert.pem, server-key.pem, and what the gateway has: cert.pem, key.pem. */
  readonly folder: string;
  /** Puts the gateway's three files into DATA/identities/NAME; `from`: with another authority's ca.pem. */
  installIn(dataDir: string, name: string, from?: EngineCertificates): Promise<void>;
  remove(): Promise<void>;
}

/** `names`: subjectAltName of the engine's, as `IP:127.0.0.1,DNS:localhost`. */
export async function makeEngineCertificates(names: string): Promise<EngineCertificates> {
  const folder = await mkdtemp('/var/tmp/postern-engine-tls-');
  const file = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = (...args: readonly string[]) => run('openssl', [...args]);
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=authority',
    '-keyout',
    file('ca-key.pem'),
    '-out',
    file('ca.pem'),
  );
  const sign = async (who: string, extensions: string) => {
    const [key, request, cert] = [file(`${who}key.pem`), file(`${who}request.pem`), file(`${who}cert.pem`)];
    await openssl(
      'req',
      '-new',
      ...newKey,
      '-subj',
      `/CN=${who || 'gateway'}`,
      '-keyout',
      key,
      '-out',
      request,
    );
    await writeFile(file('extensions'), extensions);
    const authority = ['-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'), '-CAcreateserial'];
    await openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      request,
      ...authority,
      '-extfile',
      file('extensions'),
      '-out',
      cert,
    );
  };
  await sign('server-', `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  await sign('', 'extendedKeyUsage=clientAuth\n');
  return {
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
    async installIn(dataDir, name, from) {
      const place = join(dataDir, 'identities', name);
      await mkdir(place, { recursive: true, mode: 0o700 });
      for (const each of ['cert.pem', 'key.pem']) await cp(file(each), join(place, each));
      await cp(join(from?.folder ?? folder, 'ca.pem'), join(place, 'ca.pem'));
      await chmod(join(place, 'key.pem'), 0o600);
    },
  };
}

/** An image with Node 24 and npm in the place where the official one has them, so that the Dockerfile is built without a registry of images. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../../../scripts/debian-packages.mjs';
import { engineHost, images } from '../engine.ts';
import { recipeLabel, recipeOf } from '../images.ts';
import { runProgram } from '../ssh-client.ts';
import { recipeHash } from './recipe-hash.ts';

export const nodeImage = 'postern-test/node:latest';

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Makes it from the Debian image, this Node, and this machine's npm with the registry and authorities it uses. */
export async function ensureNodeImage(): Promise<void> {
  const text = await dockerfile();
  const hash = recipeHash(`${process.version} ${npmFolder()} ${text}`);
  if ((await recipeOf(engineHost(), nodeImage)) !== hash) await makeNodeImage(text, hash);
}

async function makeNodeImage(text: string, hash: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-node-image-'));
  try {
    const nodeFolder = dirname(dirname(process.execPath));
    mkdirSync(join(folder, 'bin'));
    copyFileSync(process.execPath, join(folder, 'bin/node'));
    cpSync(join(nodeFolder, 'include/node'), join(folder, 'include/node'), { recursive: true });
    cpSync(npmFolder(), join(folder, 'lib/node_modules/npm'), { recursive: true });
    copyFileSync(certificates, join(folder, 'ca-certificates.crt'));
    writeFileSync(join(folder, 'Dockerfile'), text);
    const built = await runProgram(
      'docker',
      ['build', '--quiet', '--label', `${recipeLabel}=${hash}`, '--tag', nodeImage, folder],
      {
        env: { DOCKER_BUILDKIT: '0' },
        timeoutMs: 120_000,
      },
    );
    if (built.status !== 0) throw new Error(`the image ${nodeImage} could not be made: ${built.stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function dockerfile(): Promise<string> {
  const registry = (await runProgram('npm', ['config', 'get', 'registry'])).text.trim();
  return `FROM ${images.debian}
COPY . /usr/local/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && mkdir -p /etc/ssl/certs && mv /usr/local/ca-certificates.crt ${certificates}
ENV npm_config_registry=${registry} npm_config_cafile=${certificates} NODE_EXTRA_CA_CERTS=${certificates}
`;
}

function npmFolder(): string {
  const runner = process.env['npm_execpath'];
  const npm = runner?.endsWith('/npm-cli.js') ? runner : findProgram('npm');
  if (npm === undefined) throw new Error('npm is not in PATH');
  return dirname(dirname(realpathSync(npm)));
}

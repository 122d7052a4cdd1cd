/** The sidecar's image, made from this very process: its Node, that one's libraries, and the programs of `inside/`. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as createPack, type Pack } from 'tar-stream';
import { GatewayError } from '../../../errors.ts';
import { internalLabel } from '../../visibility.ts';
import type { EngineApi } from '../engine-api.ts';
import { findOwnBinary, type OwnBinary } from './own-binary.ts';
import { readProgramFiles } from './program-files.ts';

const repository = 'postern-sidecar';
const libraryFolder = 'lib/postern';
const programFolder = 'program';
/** As the engine writes what Node calls so. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);

interface ImageFiles {
  readonly binary: OwnBinary;
  /** By path in the image. */
  readonly texts: ReadonlyMap<string, string>;
  /** Where each program is among them, by its name. */
  readonly programs: ReadonlyMap<string, string>;
  readonly tag: string;
}

/** What runs in containers of it, and by what: paths inside of it. */
export interface SidecarImage {
  readonly name: string;
  readonly env: readonly string[];
  readonly node: string;
  readonly loader: string;
  /** What the loader needs, in one folder. */
  readonly libraries: string;
  /** By the name of its file in `inside/`, without the extension. */
  program(name: 'sidecar' | 'holder' | 'resident'): string;
}

/** It is in the engine afterwards. Throws `sidecar-unavailable`. */
export async function ensureSidecarImage(engine: EngineApi): Promise<SidecarImage> {
  const files = await readFiles().catch((error) => {
    throw unavailable('the gateway cannot make one from its own Node', error);
  });
  const name = nameOf(files);
  const image: SidecarImage = {
    name,
    env: [`LD_LIBRARY_PATH=/${libraryFolder}`],
    node: '/node',
    loader: files.binary.loader,
    libraries: `/${libraryFolder}`,
    program: (program) => `/${programFolder}/${files.programs.get(program)}`,
  };
  if (await engine.hasImage(name)) return image;
  const theirs = await engine.architecture();
  if (theirs !== architectures.get(process.arch)) {
    throw unavailable(`the engine's machine is ${theirs}, the gateway's ${process.arch}`);
  }
  const pack = createPack();
  const filled = fill(pack, files).catch((error) => pack.destroy(error as Error));
  await engine.importImage(Readable.from(pack), {
    name,
    changes: `LABEL ${internalLabel}=sidecar`,
  });
  await filled;
  if (!(await engine.hasImage(name))) throw unavailable('the engine did not take its image');
  return image;
}

const oldAfterMs = 24 * 3_600_000;

/** Those of other versions of the gateway, unless a sidecar runs from them; who needs one again, makes it again. */
export async function removeOldImages(engine: Pick<EngineApi, 'listImages' | 'removeImage'>): Promise<void> {
  const images = await engine.listImages(`${internalLabel}=sidecar`);
  const old = images.filter(({ Created }) => Created * 1000 < Date.now() - oldAfterMs);
  if (old.length === 0) return;
  const own = await readFiles().then(nameOf, () => undefined);
  // Podman's tags begin with a registry's name.
  const isOwn = (tag: string) => own !== undefined && (tag === own || tag.endsWith(`/${own}`));
  for (const { Id, RepoTags } of old) if (!RepoTags?.some(isOwn)) await engine.removeImage(Id);
}

const nameOf = ({ tag }: ImageFiles) => `${repository}:${tag}`;

const unavailable = (reason: string, cause?: unknown) =>
  new GatewayError('sidecar-unavailable', { reason }, { cause });

async function readFiles(): Promise<ImageFiles> {
  const binary = await findOwnBinary();
  const { texts: sources, paths: programs } = await readProgramFiles();
  const texts = new Map<string, string>([
    [`${programFolder}/package.json`, '{"type":"module"}'],
    ['etc/nsswitch.conf', 'hosts: files dns\n'],
  ]);
  for (const [path, text] of sources) texts.set(`${programFolder}/${path}`, text);
  const hash = createHash('sha256').update(JSON.stringify([process.version, process.arch, [...texts]]));
  for (const path of [binary.node, binary.loader, ...binary.libraries.values()]) {
    const { size, mtimeMs } = await stat(path);
    hash.update(JSON.stringify([path, size, mtimeMs]));
  }
  return { binary, texts, programs, tag: hash.digest('hex').slice(0, 16) };
}

async function fill(pack: Pack, { binary, texts }: ImageFiles): Promise<void> {
  for (const [name, text] of texts) pack.entry({ name, mode: 0o644 }, text);
  await addFile(pack, 'node', binary.node);
  await addFile(pack, binary.loader.slice(1), binary.loader);
  for (const [name, path] of binary.libraries) await addFile(pack, `${libraryFolder}/${name}`, path);
  pack.finalize();
}

async function addFile(pack: Pack, name: string, path: string): Promise<void> {
  const { size } = await stat(path);
  await pipeline(createReadStream(path), pack.entry({ name, size, mode: 0o755 }));
}

/** The images that containers of the tests are made of: built on this machine, from its Debian packages. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { engineHost, images, openEngine } from './engine.ts';
import { busyboxRootfs, noshellRootfs, usersRootfs } from './setup/busybox-rootfs.ts';
import { debianRootfs } from './setup/debian-rootfs.ts';
import { recipeHash } from './setup/recipe-hash.ts';

interface Recipe {
  readonly name: string;
  /** Changes whenever the image must be made again. */
  readonly recipe: string;
  /** A tar stream of the image's whole file system. */
  readonly rootfs: () => Promise<Readable>;
}

export const recipeLabel = 'postern.test.recipe';

const recipes: readonly Recipe[] = [
  { name: images.busybox, ...busyboxRootfs },
  { name: images.users, ...usersRootfs },
  { name: images.noshell, ...noshellRootfs },
  { name: images.debian, ...debianRootfs },
];

/** Makes the images that the engine lacks or holds of an older recipe. Milliseconds when there are none. */
export async function ensureImages(host = engineHost()): Promise<void> {
  for (const recipe of recipes) await ensureImage(host, recipe);
}

async function ensureImage(host: string, { name, recipe, rootfs }: Recipe): Promise<void> {
  const hash = recipeHash(recipe);
  if ((await recipeOf(host, name)) === hash) return;
  const [repo, tag] = name.split(':');
  const changes = `LABEL ${recipeLabel}=${hash}`;
  const progress = await openEngine(host).importImage(await rootfs(), { repo, tag, changes });
  const told = await text(progress);
  if ((await recipeOf(host, name)) !== hash) throw new Error(`the image ${name} could not be made: ${told}`);
}

/** The hash of the recipe that the image was made by, or undefined when there is none. */
export async function recipeOf(host: string, name: string): Promise<string | undefined> {
  try {
    const { Config } = await openEngine(host).getImage(name).inspect();
    return Config.Labels?.[recipeLabel];
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

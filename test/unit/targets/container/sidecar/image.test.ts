/** Which images of sidecars go when a gateway starts. The engine is none: a real one dates its images itself. */
import { expect, it } from 'vitest';
import type { EngineApi } from '../../../../../src/targets/container/engine-api.ts';
import { ensureSidecarImage, removeOldImages } from '../../../../../src/targets/container/sidecar/image.ts';

const hourS = 3_600;

/** Those of `images` that are removed: by tag and age in hours. */
async function removed(images: readonly (readonly [tag: string | undefined, hours: number])[]) {
  const gone: string[] = [];
  const listed = images.map(([tag, hours], n) => ({
    Id: tag ?? `image ${n}`,
    RepoTags: tag ? [tag] : null,
    Created: Date.now() / 1_000 - hours * hourS,
  }));
  await removeOldImages({
    listImages: async () => listed as unknown as Awaited<ReturnType<EngineApi['listImages']>>,
    removeImage: async (id) => void gone.push(id),
  });
  return gone;
}

const nameOfOwn = async () => {
  const { name } = await ensureSidecarImage({ hasImage: async () => true } as unknown as EngineApi);
  return name;
};

it('old images of other versions go, and those that lost their name', async () => {
  const other = 'postern-sidecar:0123456789abcdef';
  expect(
    await removed([
      [other, 25],
      [undefined, 48],
      ['localhost/postern-sidecar:fedcba9876543210', 30],
    ]),
  ).toEqual([other, 'image 1', 'localhost/postern-sidecar:fedcba9876543210']);
  expect(
    await removed([
      [other, 1],
      [undefined, 23],
    ]),
  ).toEqual([]);
});

it("the gateway's own image stays, however old: without it the first forward would wait until it is made again", async () => {
  const own = await nameOfOwn();
  expect(
    await removed([
      [own, 1_000],
      [`localhost/${own}`, 1_000],
    ]),
  ).toEqual([]);
});

import type { EngineApi } from '../engine-api.ts';
import { engineStatus } from '../engine-errors.ts';
import { ensureSidecarImage, type SidecarImage } from './image.ts';

/** Throws `sidecar-unavailable` where there can be no image, else what `make` throws. */
export type WithImage = <Made>(make: (image: SidecarImage) => Promise<Made>) => Promise<Made>;

/** The image is made when first needed, and once more where somebody has removed it meanwhile. */
export function createWithImage(engine: EngineApi): WithImage {
  let image: Promise<SidecarImage> | undefined;
  const imageOnce = () => {
    image ??= ensureSidecarImage(engine).catch((error) => {
      image = undefined;
      throw error;
    });
    return image;
  };
  return async (make) =>
    make(await imageOnce()).catch(async (error) => {
      if (engineStatus(error) !== 404) throw error;
      image = undefined;
      return make(await imageOnce());
    });
}

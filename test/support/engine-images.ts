/** The images of the container tests by the names these use; the set-up has made them. */
import { engineHost, images } from './engine.ts';
import { ensureImages } from './images.ts';

export const busyboxImage = images.users;
export const debianImage = images.debian;
/** A few programs and no shell. */
export const noShellImage = images.noshell;

/** Makes what is missing. */
export const ensureEngineImages = (): Promise<void> => ensureImages(engineHost());

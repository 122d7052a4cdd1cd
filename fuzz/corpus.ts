/** Sound inputs to begin with: see make-corpus.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Corpus {
  /** Public keys as files have them: lines, SSH2 files, PEM. */
  readonly keyFiles: readonly string[];
  /** Base64 of blobs. */
  readonly certificates: readonly string[];
  readonly signedData: string;
  readonly permissions: string;
  readonly signatures: readonly {
    readonly algorithm: string;
    /** Base64 of the key's blob, and of the signature of `signedData`. */
    readonly key: string;
    readonly signature: string;
    /** An exe0 token with `permissions`. */
    readonly token: string;
  }[];
}

export const corpus = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus.json'), 'utf8')) as Corpus;

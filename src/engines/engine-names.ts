/** What engines are called, and what stands before the names of their containers. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { ownEngineName } from '../targets/engine-names.ts';

/** Throws invalid-engine. */
export function checkEngineName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name) && name !== ownEngineName) return name;
  throw new GatewayError('invalid-engine', {
    problem:
      name === ownEngineName
        ? `"${name}" is the engine of the gateway's configuration; choose another name.`
        : `"${excerpt(name)}" cannot be the name of an engine: use up to 32 lower-case letters, digits and hyphens, a letter first.`,
  });
}

/** What keys of targets, which grants and tags hang on, begin with for its containers. */
export const keysOfEngine = (name: string): string => `container:${name}/`;

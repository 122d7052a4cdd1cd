/** The order of the files: those known to take long first, so that none of them is what the others have to be waited for. */
import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Vitest knows what took long from a run before, which a fresh checkout has not had. By name, longest first. */
const longest = ['soak', 'clients', 'container-hangup', 'launcher', 'sshd-install', 'bench', 'token-recipe'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

/** Its place among the longest, or after all of them. */
function rankOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => basename(moduleId).startsWith(name));
  return place === -1 ? longest.length : place;
}

/**
 * The order of the files: those known to take long first, so that none of them is what the others have to be waited for, and then
 * those of every project from the beginning to the end, so that those that compute do so while others wait.
 */
import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Vitest knows what took long from a run before, which a fresh checkout has not had. By name, longest first. */
const longest = [
  'soak',
  'clients-libraries',
  'clients',
  'container-hangup',
  'fuzz',
  'launcher',
  'several-gateways-containers',
  'sshd-install',
  'bench',
  'token-recipe',
  'container-terminal',
  'sftp-files',
  'operator',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = sorted.filter((file) => rankOf(file) < longest.length);
    const others = sorted.filter((file) => rankOf(file) === longest.length);
    return [...long.toSorted((one, other) => rankOf(one) - rankOf(other)), ...mixed(others)];
  }
}

/** Its place among the longest, or after all of them. */
function rankOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => basename(moduleId).startsWith(`${name}.`));
  return place === -1 ? longest.length : place;
}

/** After any part of them all, the same part of each project's is over. Those of a project stay in their order. */
function mixed(files: readonly TestSpecification[]): TestSpecification[] {
  const projects = Object.values(Object.groupBy(files, ({ project }) => project.name));
  return projects
    .flatMap((own = []) => own.map((file, index) => ({ file, part: (index + 0.5) / own.length })))
    .toSorted((one, other) => one.part - other.part)
    .map(({ file }) => file);
}

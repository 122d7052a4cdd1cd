import { expect, it } from 'vitest';
import type { ContainerUsage } from '../../../../../src/targets/container/container-usage.ts';
import type { ContainerDetails } from '../../../../../src/targets/container/engine-api.ts';
import { findWhyNoResident } from '../../../../../src/targets/container/resident/why-no-resident.ts';

const mib = 1024 * 1024;

const why = (limits: object, usage: Partial<ContainerUsage> | Error) => {
  const details = { Id: 'id', HostConfig: limits } as unknown as ContainerDetails;
  const told = async () => {
    if (usage instanceof Error) throw usage;
    return { memoryBytes: undefined, pids: undefined, ...usage };
  };
  return findWhyNoResident({ usage: told }, details);
};

it('there is none where it would not fit beside what the container holds already', async () => {
  const limit = { Memory: 512 * mib };
  expect(await why(limit, { memoryBytes: 460 * mib })).toBe('the container has too little memory left');
  expect(await why(limit, { memoryBytes: 400 * mib })).toBeUndefined();
  expect(await why({ PidsLimit: 100 }, { pids: 80 })).toBe('the container may have too few processes more');
  expect(await why({ PidsLimit: 100 }, { pids: 20 })).toBeUndefined();
});

it('an engine that does not say what is used, and a container without limits, stand in nobody’s way', async () => {
  expect(await why({ Memory: 512 * mib, PidsLimit: 100 }, {})).toBeUndefined();
  expect(await why({ Memory: 512 * mib, PidsLimit: 100 }, new Error('no answer'))).toBeUndefined();
  expect(await why({ Memory: 0, PidsLimit: -1 }, new Error('nobody asks'))).toBeUndefined();
});

it('nor is there one where limits are small from the beginning', async () => {
  expect(await why({ Memory: 128 * mib }, {})).toBe('the container has too little memory');
  expect(await why({ PidsLimit: 50 }, {})).toBe('the container may have too few processes');
  expect(await why({ PidMode: 'host' }, {})).toBe('the container shares the processes of another');
});

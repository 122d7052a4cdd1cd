import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/setup/longest-first.ts';

/** The timeout ends what hangs, on a busy machine too; what must be quick measures that itself. */
const inProject = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: Math.max(testTimeout, 60_000),
  },
});

/** What accounts, keys, rights and tokens come to on the other store; `npm run test:postgres` runs everything on it. */
const onPostgres = [
  'lobby',
  'key-feed',
  'tokens',
  'token-ends',
  'certificates-revoked',
  'hosts-granted',
  'second-factor',
  'http-door',
];

const storedInPostgres = {
  extends: true as const,
  test: {
    ...inProject('e2e', 90_000).test,
    name: 'e2e-postgres',
    include: onPostgres.map((name) => `test/e2e/${name}.test.ts`),
    env: { TEST_STORE: 'postgres' },
  },
};

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest would leave one core out; but most tests wait: for a container, a clock, a client.
    maxWorkers: availableParallelism() + 2,
    // In place of one second, in which a busy machine may not even have started the program that is waited for.
    expect: { poll: { timeout: 10_000 } },
    sequence: { sequencer: LongestFirst },
    // For gateways that are started as programs: one keeps no containers of another test in step, and none is more than one
    // process, which costs the machine much less to start. Who tests that says so.
    env: { POSTERN_SYNC: 'off', POSTERN_WORKERS: '0' },
    globalSetup: ['test/support/setup/machine.ts'],
    projects: [
      inProject('unit', 60_000),
      inProject('conformance', 60_000),
      inProject('e2e', 90_000),
      storedInPostgres,
    ],
  },
});

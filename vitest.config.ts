import { defineConfig } from 'vitest/config';

const inProject = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: Math.max(testTimeout, 60_000),
  },
});

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['test/support/setup/machine.ts'],
    projects: [inProject('unit', 15_000), inProject('conformance', 30_000), inProject('e2e', 90_000)],
  },
});

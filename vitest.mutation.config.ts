import { defineConfig } from 'vitest/config';

/** The tests that need neither servers nor processes: they run again for each mutant. */
export default defineConfig({
  test: {
    include: [
      'tests/unit/{attempt,claim,database,exclusion,features,host,infra,plan,ports,readmodel,retry,run}/**/*.test.ts',
      'tests/simulation/store/contract.test.ts',
    ],
    setupFiles: ['tests/support/short-properties.ts'],
    testTimeout: 10_000,
  },
});

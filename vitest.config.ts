import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // By itself, with a configuration of its own: make test-bundle.
    exclude: ['tests/bundle/**'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Most tests wait for processes more than they compute.
    maxWorkers: 3,
  },
});

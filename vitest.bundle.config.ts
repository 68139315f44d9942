import { defineConfig } from 'vitest/config';

// By itself: it builds the bundle, and measures nothing.
export default defineConfig({
  test: {
    include: ['tests/bundle/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
  },
});

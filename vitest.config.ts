import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By far the longest: what begins last is what everybody waits for in the end. */
const LONGEST = [
  ...['faults/crash-points', 'simulation/even-seeds', 'simulation/odd-seeds'],
  ...['integration/manager/handback', 'integration/straxen/equality', 'faults/children'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // By itself, with a configuration of its own: make test-bundle.
    exclude: ['tests/bundle/**'],
    reporters: ['default', './tests/support/longest-files.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Most tests wait for processes more than they compute.
    maxWorkers: 4,
  },
});

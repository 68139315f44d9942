import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

import { IS_NIGHTLY } from './tests/support/tier.ts';

/** By far the longest, in this order: what begins last is what everybody waits for in the end. */
const LONGEST = [
  ...['faults/crash-points', 'integration/attempt/equality', 'integration/exclusion/exclusion'],
  ...['integration/manager/drain/handback', 'integration/features/alarms/alarms'],
  ...['toolchain/rundb', 'simulation/old-rules', 'faults/children', 'faults/upgrade'],
  ...['faults/lease', 'simulation/control', 'browser/fleet', 'faults/clock'],
  ...['integration/attempt/files/shared-output', 'toolchain/same-host', 'equality/plan'],
  ...['simulation/even-seeds', 'simulation/odd-seeds', 'integration/dashboard/fuzz'],
  ...['integration/retry/unmendable', 'integration/attempt/debt/debt', 'fuzz/live'],
  ...['integration/attempt/bad-input', 'integration/attempt/keep-products'],
  ...['integration/attempt/worker/kept-server', 'integration/features/deletion/interrupted'],
  ...['integration/features/deletion/refused', 'integration/infra/mongo/refusals'],
  ...['integration/infra/mongo/error-answers', 'integration/cli/old-servers', 'browser/pages'],
  ...['toolchain/fleet', 'toolchain/repairs', 'faults/recovery', 'faults/database'],
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

const UNITS = 'tests/unit/**/*.test.ts';

/** They measure how soon something happens: nothing else runs beside them. */
const TIMED = [
  ...['executors/local/evidence', 'attempt/process/follow', 'cli/planning-speed', 'dashboard/api'],
  ...[
    'exclusion/manager-lock',
    'infra/linux/processes',
    'plan/data-rate',
    'claim/promises',
    'database/connection',
    'database/size',
  ],
  'attempt/worker/fork-server',
].map((name) => `tests/integration/${name}.test.ts`);

/** Left to `make test-nightly`: docs/reliability.md says why. */
const NIGHTLY = IS_NIGHTLY ? [] : ['tests/faults/chaos.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/report-end.ts'],
    sequence: { sequencer: LongestFirst },
    globalSetup: './tests/support/shared-python.ts',
    // The three follow one another.
    projects: [
      {
        test: {
          name: 'units',
          include: [UNITS],
          // They keep nothing between them, and loading all again for each file is half the work.
          isolate: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        test: {
          name: 'components',
          include: ['tests/components/**/*.test.tsx'],
          environment: 'happy-dom',
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'together',
          include: ['tests/**/*.test.ts'],
          // The bundle by itself, with a configuration of its own: make test-bundle.
          exclude: [UNITS, ...TIMED, ...NIGHTLY, 'tests/bundle/**'],
          // They end what hangs; how long a test may take says nothing about the program.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
          sequence: { groupOrder: 1 },
          // Most tests wait for processes more than they compute.
          maxWorkers: 5,
        },
      },
      {
        test: {
          name: 'timed',
          include: TIMED,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          pool: 'forks',
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
        },
      },
    ],
  },
});

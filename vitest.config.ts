import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By far the longest: what begins last is what everybody waits for in the end. */
const LONGEST = [
  ...['faults/crash-points', 'integration/dashboard/fuzz', 'integration/attempt/equality'],
  ...['integration/features/deletion/refused', 'simulation/even-seeds', 'simulation/odd-seeds'],
  ...['fuzz/decisions', 'faults/children', 'integration/manager/drain/handback', 'fuzz/live'],
  ...['faults/lease', 'integration/attempt/debt/debt', 'browser/fleet', 'toolchain/tools'],
  ...['toolchain/rundb'],
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

/**
 * Processes, disks and browsers of a small machine are not always as quick as the day before. Which
 * test needed the second try is told at the end of the report; one that needs it again has a defect.
 */
const RETRIES = 1;

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/report-end.ts'],
    sequence: { sequencer: LongestFirst },
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
        test: {
          name: 'together',
          include: ['tests/**/*.test.ts'],
          // The bundle by itself, with a configuration of its own: make test-bundle.
          exclude: [UNITS, ...TIMED, 'tests/bundle/**'],
          // They end what hangs; how long a test may take says nothing about the program.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          retry: RETRIES,
          pool: 'forks',
          sequence: { groupOrder: 1 },
          // Most tests wait for processes more than they compute.
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'timed',
          include: TIMED,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          retry: RETRIES,
          pool: 'forks',
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
        },
      },
    ],
  },
});

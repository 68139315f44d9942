// Mutation testing of the decisions and of what is written to the database: `make mutation`.
// scripts/mutation.mjs runs it and judges the report.
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  mutate: [
    'src/**/*.pure.ts',
    'src/run/{run-filters,run-updates,run-data,run.store,run-watch}.ts',
    'src/infra/mongo/{expressions,compare-and-set}.ts',
    'src/retry/attempt-history.store.ts',
    'src/host/{host,eb-monitor}.store.ts',
    'src/plan/data-rate.store.ts',
    'src/ports/daq-log.store.ts',
    '!src/attempt/protocol-schema.pure.ts',
  ],
  concurrency: 2,
  // A busy machine is slow, which is no endless loop.
  timeoutMS: 10_000,
  incremental: false,
  disableTypeChecks: false,
  // What the fast tests do not need; the rest is copied for each run.
  ignorePatterns: [
    '/.*',
    '/dist',
    '/worker/**',
    '!/worker/bootstrax_worker/protocol.schema.json',
    '/docs',
    '/bench',
    '/packaging',
    '/strax_data',
  ],
  tempDirName: '.mutation/sandbox',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: '.mutation/report.json' },
  allowEmpty: false,
};

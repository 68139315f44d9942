// Mutation testing of the decisions and of what is written to the database: `make mutation`.
// scripts/mutation.mjs runs it and judges the report.
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  mutate: [
    'src/domain/**/*.ts',
    'src/store/{run-filters,run-updates,run-data,expressions,compare-and-set}.ts',
    'src/store/{runs,run-watch,attempts,hosts,eb-monitor,daq-log,rates}.ts',
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

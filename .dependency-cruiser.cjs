// The arrows of docs/architecture.md. A folder may import itself and what stands beside its name.
const CORE = [
  'run',
  'claim',
  'plan',
  'attempt',
  'retry',
  'host',
  'exclusion',
  'executors',
  'ports',
];

const folders = {
  infra: [],
  ...Object.fromEntries(CORE.map((folder) => [folder, [...CORE, 'infra']])),
  readmodel: [...CORE, 'infra', 'features'],
  database: [...CORE, 'infra', 'features', 'readmodel'],
  manager: [...CORE, 'infra', 'features', 'database'],
  dashboard: [...CORE, 'infra', 'features', 'readmodel', 'database'],
  cli: [...CORE, 'infra', 'features', 'readmodel', 'database', 'manager', 'dashboard'],
};

/** Of other features and of the read model: the types of what they store, for the one list of stores. */
const PORTS = '\\.port\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(folders).map(([folder, allowed]) => ({
      name: `${folder}-arrows`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: {
        path: '^src/',
        pathNot: [
          `^src/(${[folder, ...allowed].join('|')})/`,
          ...(folder === 'ports' ? [PORTS] : []),
        ],
      },
    })),
    {
      // Alarms say what the read model shows.
      name: 'features-arrows',
      severity: 'error',
      from: { path: '^src/features/', pathNot: '^src/features/alarms/' },
      to: { path: '^src/', pathNot: `^src/(${[...CORE, 'infra', 'features'].join('|')})/` },
    },
    {
      name: 'alarms-arrows',
      severity: 'error',
      from: { path: '^src/features/alarms/' },
      to: {
        path: '^src/',
        pathNot: `^src/(${[...CORE, 'infra', 'features', 'readmodel'].join('|')})/`,
      },
    },
    {
      name: 'no-feature-imports-another',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: '^src/features/$1/' },
    },
    {
      name: 'pure-files-import-pure-files',
      severity: 'error',
      from: { path: '^src/.*\\.pure\\.ts$' },
      to: { path: '^src/', pathNot: '\\.pure\\.ts$' },
    },
    {
      // `path` and `crypto` compute; `zod` is the shape of data.
      name: 'pure-files-do-no-io',
      severity: 'error',
      from: { path: '^src/.*\\.pure\\.ts$' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'],
        dependencyTypesNot: ['type-only'],
        pathNot: ['^(node:)?(path|crypto)$', 'node_modules/zod/'],
      },
    },
    {
      // Where the processes of an attempt are, and what they are, its executor knows: all others have
      // a Reach. Left out are the worker that the local executor forks from, processes of other
      // programs on this machine (the reference's), and the shape of `started.json`.
      name: 'processes-are-reached-through-an-executor',
      severity: 'error',
      from: {
        path: `^src/(${CORE.filter((folder) => !['executors', 'exclusion'].includes(folder)).join('|')}|manager|features)/`,
        pathNot: [
          '^src/attempt/worker/',
          '^src/attempt/process/strax-processes\\.ts$',
          '^src/attempt/attempt\\.pure\\.ts$',
        ],
      },
      to: { path: '^src/infra/linux/process' },
    },
    {
      // Only whoever puts a manager together, and what works without one, names an executor.
      name: 'an-executor-is-one-of-many',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [
          '^src/executors/',
          '^src/cli/',
          '^src/manager/worker-of-host\\.ts$',
          '^src/manager/cluster-of-host\\.ts$',
          '^src/manager/drain/no-worker\\.ts$',
          '^src/features/reconcile/',
        ],
      },
      to: { path: '^src/executors/[^/]+/' },
    },
    {
      name: 'every-file-stands-in-a-guarded-folder',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(${[...Object.keys(folders), 'features'].join('|')})/`,
      },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};

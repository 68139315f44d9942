// The arrows of docs/architecture.md: cli -> manager, dashboard -> executors, attempts, worker,
// store, machine -> domain. config may be read by the edges; domain imports nothing of the project.
const layers = {
  domain: [],
  'crash-points': [],
  config: ['domain'],
  store: ['domain', 'crash-points'],
  machine: ['domain'],
  attempts: ['domain', 'crash-points', 'machine'],
  actions: ['domain', 'store'],
  worker: ['domain', 'machine', 'attempts'],
  executors: ['domain', 'machine', 'attempts', 'worker'],
  manager: [
    ...['domain', 'config', 'crash-points', 'store', 'machine', 'attempts', 'worker'],
    ...['actions', 'executors'],
  ],
  report: ['domain', 'config', 'store', 'machine', 'attempts'],
  dashboard: ['domain', 'config', 'store', 'actions', 'machine', 'attempts', 'report'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([layer, allowed]) => ({
      name: `${layer}-arrows`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
    })),
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

/**
 * Every write of a manager, a command or the worker's processes, to a database or to a disk, by
 * name. The wrappers that write take a name from here and have a crash point on each side of the
 * write by themselves; what strax writes is its own.
 */

/** Writes to a database (`infra/mongo/collection.ts`), named by collection and purpose. */
export const DATABASE_WRITES = [
  'runs.claim',
  'runs.busy',
  'runs.heartbeat',
  'runs.renew_waiting',
  'runs.unregister',
  'runs.withdraw',
  'runs.withdraw_live',
  'runs.conclude',
  'runs.settle',
  'runs.retry',
  'runs.renumber',
  'runs.mend_status',
  'runs.adopt',
  'attempts.adopt',
  'deletions.adopt',
  'runs.hold',
  'runs.release',
  'attempts.begin',
  'attempts.plan',
  'attempts.end',
  'attempts.debt',
  'runs.debt_claim',
  'runs.debt_renew',
  'runs.debt_pay',
  'runs.debt_give_back',
  'deletions.request',
  'deletions.begin',
  'deletions.note',
  'deletions.end',
  'actions.request',
  'actions.await',
  'actions.seen',
  'actions.end',
  'actions.acknowledge',
  'alarms.raise',
  'alarms.clear',
  'alarms.told',
  'alarms.claim',
  'alarms.release',
  'maintenance.start',
  'maintenance.end',
  'hosts.take',
  'hosts.write',
  'hosts.retire',
  'hosts.mark',
  'host_history.write',
  'eb_monitor.write',
  'eb_monitor.release_pids',
  'eb_monitor.dead',
  'online_monitor.wipe',
  'daq_log.write',
  'contract.insert',
] as const;
export type DatabaseWrite = (typeof DATABASE_WRITES)[number];

/** Files written by temporary file and rename (`infra/disk/durable.ts`). */
export const FILE_WRITES = [
  'plan.json',
  'ending.json',
  'publishing.json',
  'trash.json',
  'superseded',
  'concluded',
  'log.shorten',
  'graph.json',
  'context-imported.json',
  'drained.json',
  'state-folder.json',
  'submit.json',
  'job.json',
  'job-environment',
  'job-begun.owner',
  'slurm-proof.json',
] as const;
export type FileWrite = (typeof FILE_WRITES)[number];

/** Everything else that changes a disk in one step (`infra/disk/durable.ts`). */
export const DISK_STEPS = [
  'attempt.make',
  'attempt.link',
  'followed',
  'log.cut',
  'place.make',
  'place.publish',
  'place.take_back',
  'place.remove',
  'probe.make',
  'probe.rename',
  'probe.remove',
  'trash.make',
  'trash.take',
  'trash.doom',
  'trash.remove',
  'trash.put_back',
  'condemned.put_back',
  'attempt.rename',
  'attempt.remove',
  'context-imported.remove',
  'drained.remove',
  'evidence.open-files',
  'evidence.stacks',
  'shared-memory.remove',
  'worker-folder.clear',
  'live.rename',
  'live.put_back',
  'live.remove',
  'shadow.make',
  'shadow.note',
  'job-begun.make',
  'job-begun.take',
  'job-begun.remove',
  'node-probe.make',
  'node-probe.ask',
  'node-probe.remove',
] as const;
export type DiskStep = (typeof DISK_STEPS)[number];

/** The same as `FILE_WRITES` for guardian and child (`bootstrax_worker/durable.py`). */
export const WORKER_FILE_WRITES = ['started.json', 'result.json', 'exit.json'] as const;

/** The same as `DISK_STEPS` for fork server, guardian and child. */
export const WORKER_STEPS = [
  'progress.ndjson',
  'input.ndjson',
  'profile',
  'pictures.json',
  'syncfs',
  'worker-folder.make',
  'worker-socket.make',
  'worker-socket.retire',
  'worker-folder.remove',
] as const;

/** Of a file written by rename: nothing yet; written and forced to disk under another name; renamed. */
export const FILE_MOMENTS = ['before', 'temporary', 'after'] as const;
export type FileMoment = (typeof FILE_MOMENTS)[number];

/** Of any other write: not carried out yet; carried out, with its answer not used yet. */
export const STEP_MOMENTS = ['before', 'after'] as const;
export type StepMoment = (typeof STEP_MOMENTS)[number];

type WrittenFile = FileWrite | (typeof WORKER_FILE_WRITES)[number];
type Step = DatabaseWrite | DiskStep | (typeof WORKER_STEPS)[number];
export type CrashPoint = `${WrittenFile}:${FileMoment}` | `${Step}:${StepMoment}`;

const around = (steps: readonly Step[]): CrashPoint[] =>
  steps.flatMap((name) => STEP_MOMENTS.map((moment) => `${name}:${moment}` as const));
const ofFiles = (files: readonly WrittenFile[]): CrashPoint[] =>
  files.flatMap((name) => FILE_MOMENTS.map((moment) => `${name}:${moment}` as const));

/** Points where fork server, guardian or child is cut. */
export const WORKER_CRASH_POINTS: readonly CrashPoint[] = [
  ...ofFiles(WORKER_FILE_WRITES),
  ...around(WORKER_STEPS),
];

/** All crash points there are. */
export const CRASH_POINTS: readonly CrashPoint[] = [
  ...around(DATABASE_WRITES),
  ...ofFiles(FILE_WRITES),
  ...around(DISK_STEPS),
  ...WORKER_CRASH_POINTS,
];

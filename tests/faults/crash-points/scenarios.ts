import {
  type CrashPoint,
  FILE_MOMENTS,
  type FileMoment,
  STEP_MOMENTS,
  type StepMoment,
} from '../../../src/infra/crash-points/points.ts';
import * as hostWays from './host-ways.ts';
import type { Cut, Trial, TrialManager } from './trial.ts';
import * as ways from './ways.ts';

/** A way on which the power is cut, once at each of its points. */
export interface Scenario {
  name: string;
  /**
   * Failures that count against the run in the end. A cut of manager or guardian never adds one; a
   * death of the child before its result is complete does, as does strax's own failure.
   */
  failures: number;
  points: readonly Cut[];
  toTheCut: ways.Way;
  /** The manager that is started without a cut, where it is to be another than usual. */
  restart?: TrialManager;
  /** Another host with the same output folder took the run over before the restart, where it was not done. */
  isTakenOver?: true;
  /** What a person does after the restart, where one is needed. */
  afterwards?: (trial: Trial) => Promise<void>;
}

type Named<Moment extends string> = CrashPoint extends infer Point
  ? Point extends `${infer Name}:${Moment}`
    ? Name
    : never
  : never;
type File = Named<'temporary'>;
type Step = Exclude<Named<StepMoment>, File>;

const around = (...steps: Step[]): Cut[] =>
  steps.flatMap((step) => STEP_MOMENTS.map((moment: StepMoment) => `${step}:${moment}` as const));
const file = (...files: File[]): Cut[] =>
  files.flatMap((name) => FILE_MOMENTS.map((moment: FileMoment) => `${name}:${moment}` as const));

/** What a run of a trial has: two of its products are renamed at a time, never the same. */
const PRODUCTS = 7;
/** One after the other, each before and after its rename. */
const EACH_RENAME: readonly Cut[] = Array.from({ length: PRODUCTS }, (_, i) =>
  STEP_MOMENTS.map((moment) => `place.publish:${moment}#${i + 1}` as const),
).flat();

/** From the moment at which an attempt has a folder of its own. */
const PUBLICATION: readonly Cut[] = [
  ...around('place.make'),
  ...file('publishing.json'),
  ...EACH_RENAME,
  ...around('runs.conclude', 'place.remove'),
  ...file('concluded'),
];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a run is taken and done',
    failures: 0,
    points: [
      ...around('hosts.take', 'hosts.write', 'host_history.write', 'eb_monitor.write'),
      ...file('state-folder.json', 'graph.json', 'context-imported.json'),
      ...around('runs.claim', 'attempts.begin', 'attempt.make', 'followed'),
      ...file('plan.json'),
      ...around('runs.busy', 'attempts.plan', 'runs.heartbeat'),
      ...around('probe.make', 'probe.rename', 'probe.remove'),
      ...around('attempts.end', 'daq_log.write'),
      ...PUBLICATION,
      'hosts.write:after#3',
    ],
    toTheCut: ways.taken,
  },
  {
    name: 'another host takes the run over after the cut',
    failures: 0,
    points: [...PUBLICATION, ...around('attempts.end'), 'runs.busy:after'],
    toTheCut: ways.takenOver,
    isTakenOver: true,
  },
  {
    name: 'another host is cut while it removes what was published in part',
    failures: 0,
    points: [
      ...file('trash.json'),
      ...around('trash.make', 'trash.take', 'trash.doom', 'trash.remove'),
      'trash.remove:after#2',
    ],
    toTheCut: ways.madeRoomElsewhere,
    isTakenOver: true,
  },
  {
    name: 'another host takes the run over, and the child lives on',
    failures: 0,
    points: ['runs.heartbeat:after#3'],
    toTheCut: ways.takenOverFromAChild,
    isTakenOver: true,
  },
  {
    name: 'the log of a run grows without end',
    failures: 0,
    points: around('log.cut'),
    toTheCut: ways.wordy,
  },
  {
    name: 'the database is not marked yet',
    failures: 0,
    points: around('hosts.mark'),
    toTheCut: hostWays.unmarked,
  },
  {
    name: 'release 0.1.0 has left the host’s document',
    failures: 0,
    points: around('hosts.retire'),
    toTheCut: hostWays.afterRelease010,
    afterwards: hostWays.shownOnce,
  },
  {
    name: 'a renamed host adopts its state folder',
    failures: 0,
    points: around('runs.adopt', 'attempts.adopt', 'deletions.adopt'),
    toTheCut: hostWays.renamed,
    afterwards: hostWays.knownByItsNewName,
  },
  {
    name: 'the guardian dies',
    failures: 0,
    points: file('started.json', 'exit.json'),
    toTheCut: ways.inTheWorker,
  },
  {
    name: 'the fork server dies',
    failures: 0,
    points: around('worker-folder.make', 'worker-socket.make'),
    toTheCut: ways.inTheServer,
  },
  {
    name: 'the fork server dies when another takes its place',
    failures: 0,
    points: around('worker-socket.retire', 'worker-folder.remove'),
    toTheCut: ways.inTheServerThatRetires,
  },
  {
    name: 'a fork server that was killed has left its folder',
    failures: 0,
    points: around('worker-folder.clear'),
    toTheCut: ways.afterADeadServer,
  },
  {
    name: 'the child dies before its result is complete',
    failures: 1,
    points: [
      ...around('progress.ndjson'),
      'progress.ndjson:after#6',
      ...around('input.ndjson'),
      ...around('syncfs'),
      'result.json:before',
      'result.json:temporary',
    ],
    toTheCut: ways.inTheWorker,
  },
  {
    name: 'the child dies with its result complete',
    failures: 0,
    points: ['result.json:after'],
    toTheCut: ways.inTheWorker,
  },
  {
    name: 'an earlier attempt has left products',
    failures: 1,
    points: [
      ...around('runs.unregister', 'trash.make', 'trash.take', 'trash.doom', 'trash.remove'),
      ...file('trash.json'),
      'trash.take:after#2',
      'trash.doom:after#2',
      'trash.remove:after#2',
    ],
    toTheCut: ways.withLeftovers,
  },
  {
    name: 'the start finds what a removal had taken away',
    failures: 1,
    points: [...around('trash.put_back'), 'trash.take:before', 'trash.doom:after'],
    toTheCut: ways.recoveringFrom(ways.withLeftovers, 'trash.take:after'),
  },
  {
    name: 'the start finds what a removal had doomed',
    failures: 1,
    points: around('trash.remove'),
    toTheCut: ways.recoveringFrom(ways.withLeftovers, 'trash.doom:after'),
  },
  {
    name: 'a removal by release 0.1.1 was cut, of what is of another run document',
    failures: 1,
    points: around('condemned.put_back'),
    toTheCut: ways.anothersSetAside,
    afterwards: ways.anothersMovedAway,
  },
  {
    name: 'an earlier attempt has left documents for online displays',
    failures: 0,
    points: around('online_monitor.wipe'),
    toTheCut: ways.monitored,
    afterwards: ways.unmonitored,
  },
  {
    name: 'another host has fallen silent',
    failures: 0,
    points: around('eb_monitor.dead'),
    toTheCut: ways.silentElsewhere,
  },
  {
    name: 'the child dies while its profile is written',
    failures: 1,
    points: around('profile'),
    toTheCut: ways.profiled,
  },
  {
    name: 'strax fails',
    failures: 1,
    points: [...around('attempts.end', 'runs.conclude', 'place.remove'), 'concluded:before'],
    toTheCut: ways.straxFails,
  },
  {
    name: 'the child hangs and is ended',
    failures: 1,
    points: [...file('ending.json'), ...around('evidence.open-files', 'evidence.stacks')],
    toTheCut: ways.hangs,
    restart: ways.IMPATIENT,
  },
  {
    name: 'an attempt leaves shared memory',
    failures: 0,
    points: around('shared-memory.remove'),
    toTheCut: ways.leavesSharedMemory,
  },
  {
    name: 'somebody else takes the run away',
    failures: 0,
    points: [
      ...file('superseded'),
      ...around('attempts.end', 'runs.withdraw', 'place.remove'),
      'concluded:before',
    ],
    toTheCut: ways.takenAway,
  },
  {
    name: 'somebody else takes the run away from a manager that was cut while it published',
    failures: 0,
    points: around('place.take_back'),
    toTheCut: ways.takenWhilePublished,
    restart: ways.TIDY,
  },
  {
    name: 'recovering from a cut before the start',
    failures: 0,
    points: [...around('runs.conclude', 'attempts.end'), 'concluded:before'],
    toTheCut: ways.recoveringFrom(ways.taken, 'plan.json:after'),
  },
  {
    name: 'recovering from a cut after the run was lost',
    failures: 0,
    points: [...around('runs.withdraw', 'place.remove'), 'concluded:before'],
    toTheCut: ways.recoveringFrom(ways.takenAway, 'superseded:after'),
  },
  {
    name: 'an operator stops the child',
    failures: 0,
    points: ['ending.json:after', ...around('attempts.end', 'runs.conclude')],
    toTheCut: ways.stoppedByOperator,
  },
  {
    name: 'abandoned by tag, and taken up again',
    failures: 0,
    points: around('runs.conclude'),
    toTheCut: ways.taggedToBeAbandoned,
    afterwards: ways.takenUpAgain,
  },
  {
    name: 'given up, and begun anew by a person',
    failures: 0,
    points: around('runs.conclude'),
    toTheCut: ways.fails10Times,
    afterwards: ways.begunAnew,
  },
  {
    name: 'malformed, and mended by a person',
    failures: 0,
    points: [...around('runs.settle'), 'daq_log.write:before'],
    toTheCut: ways.malformed,
    afterwards: ways.mended,
  },
  {
    name: 'the host that had the run is gone',
    failures: 0,
    points: around('runs.claim', 'runs.conclude'),
    toTheCut: ways.staleElsewhere,
    restart: ways.TIDY,
  },
  {
    name: 'done, but not handed on',
    failures: 0,
    points: around('runs.mend_status'),
    toTheCut: ways.doneWithoutStatus,
    restart: ways.TIDY,
  },
  {
    name: 'a person retries a failed run',
    failures: 1,
    points: around('runs.retry'),
    toTheCut: ways.command('retry', 'failed'),
  },
  {
    name: 'a person gives one of two documents of a number another one',
    failures: 0,
    points: around('runs.renumber'),
    toTheCut: ways.renumbered,
  },
  {
    name: 'a person holds a run',
    failures: 0,
    points: around('actions.request', 'runs.hold', 'actions.end'),
    toTheCut: ways.command('hold', 'new'),
    afterwards: ways.released,
  },
  {
    name: 'a person releases a run',
    failures: 0,
    points: around('runs.release'),
    toTheCut: ways.command('release', 'held'),
  },
  {
    name: 'a person fails a busy run',
    failures: 1,
    points: around('actions.await'),
    toTheCut: ways.failedByPerson,
  },
  {
    name: 'a person takes on a kind of failure',
    failures: 0,
    points: around('actions.acknowledge'),
    toTheCut: ways.acknowledged,
  },
  {
    name: 'the context cannot be imported until it is mended',
    failures: 0,
    points: around('context-imported.remove'),
    toTheCut: ways.contextBroken,
  },
  {
    name: 'more old attempts than are kept',
    failures: 0,
    points: [
      ...file('log.shorten'),
      ...around('attempt.rename', 'attempt.remove'),
      'attempt.remove:after#2',
    ],
    toTheCut: ways.manyOldAttempts,
  },
  {
    name: 'what a done run lacks is made',
    failures: ways.DEBT_FAILURES,
    points: [
      ...around('attempts.debt', 'runs.debt_claim', 'attempts.begin', 'attempt.make'),
      ...file('plan.json'),
      ...around('runs.debt_renew', 'attempts.end', 'runs.debt_pay'),
      'attempts.debt:before#2',
      'attempts.debt:after#2',
      ...file('concluded'),
    ],
    toTheCut: ways.paying,
    restart: ways.PAYING,
    afterwards: ways.paid,
  },
  {
    name: 'the making of what a done run lacks is stopped',
    failures: ways.DEBT_FAILURES,
    points: [
      ...around('runs.debt_give_back', 'place.remove', 'attempts.end'),
      'attempts.debt:before#2',
      'attempts.debt:after#2',
      'concluded:before',
    ],
    toTheCut: ways.payingStopped,
    restart: ways.PAYING,
    afterwards: ways.paid,
  },
  {
    name: 'live data is deleted',
    failures: 0,
    points: [
      ...around('deletions.request', 'deletions.begin', 'live.rename', 'runs.withdraw_live'),
      ...around('live.remove', 'deletions.end'),
      'live.remove:after#3',
      'runs.conclude:after',
      'concluded:before',
    ],
    toTheCut: ways.deleting,
    restart: ways.DELETING,
    afterwards: ways.liveDataGone,
  },
  {
    name: 'the deletion of live data begins anew',
    failures: 0,
    points: [...around('live.put_back', 'deletions.begin'), 'live.remove:after'],
    toTheCut: ways.recoveringFrom(ways.deleting, 'live.rename:after', ways.DELETING),
    restart: ways.DELETING,
    afterwards: ways.liveDataGone,
  },
  {
    name: 'the removal of live data goes on',
    failures: 0,
    points: [...around('runs.withdraw_live', 'deletions.end'), 'live.remove:before'],
    toTheCut: ways.recoveringFrom(ways.deleting, 'live.remove:after', ways.DELETING),
    restart: ways.DELETING,
    afterwards: ways.liveDataGone,
  },
  {
    name: 'live data cannot be deleted for now',
    failures: 0,
    points: around('deletions.note'),
    toTheCut: ways.deletingObstructed,
    restart: ways.DELETING,
    afterwards: ways.liveDataFreed,
  },
  {
    name: 'the host is handed back to another program',
    failures: 0,
    points: around('eb_monitor.release_pids'),
    toTheCut: ways.handedBack,
  },
  {
    name: 'the host is drained',
    failures: 0,
    points: [...around('actions.seen', 'drained.remove'), ...file('drained.json')],
    toTheCut: ways.drained,
  },
  {
    name: 'a shadow looks on',
    failures: 0,
    points: around('shadow.make', 'shadow.note'),
    toTheCut: ways.lookedOn,
  },
  {
    name: 'a server is tried',
    failures: 0,
    points: around('contract.insert'),
    toTheCut: ways.contractTried,
  },
];

import type { ObjectId } from 'mongodb';

import type { DataRegistration, Fence, RunStore } from '../../src/run/run.port.ts';
import type { Seen } from '../../src/run/run-document.port.ts';
import { PLAN } from '../integration/database/contract/run-documents.ts';

/** The runs on which the calls are made. */
export interface RunsOfCalls {
  /** A busy run and who holds it. */
  busy: Fence;
  considering: Fence;
  waiting: Seen;
  held: Seen;
  done: Seen;
  /** The done run, and the attempt that concluded it. */
  doneBy: Fence;
  now: Date;
}

/** A product of the busy run, and one that it had before. */
const PRODUCT: DataRegistration = {
  type: 'peaks',
  location: '/data/000001-peaks-abcdefghij',
  lineage: { peaks: ['P', '1', {}] },
};
export const OLD_LOCATION = '/old';
export const LIVE_LOCATION = '/live';

type Call = (runs: RunStore) => Promise<unknown>;
type Calls<Name extends keyof RunStore> = Readonly<Record<Name, Call>>;

type Write =
  | ('claim' | 'markBusy' | 'heartbeat' | 'noteJob' | 'renewWaiting')
  | ('unregisterData' | 'withdrawData')
  | ('withdrawSettled' | 'withdrawLive' | 'conclude' | 'settle' | 'retry')
  | ('renumber' | 'mendStatus' | 'hold' | 'release');

/**
 * Each write of a run document, called once. The one list of them: a method of the store that is
 * missing here does not compile.
 */
export function runWrites(on: RunsOfCalls): Calls<Write> {
  const { busy, considering, waiting, held, done, doneBy } = on;
  const { attempt, host } = busy;
  return {
    claim: (runs) => runs.claim(waiting, { attempt, host }),
    markBusy: (runs) => runs.markBusy(considering, PLAN),
    heartbeat: (runs) => runs.heartbeat(busy, 'busy', null),
    noteJob: (runs) => runs.noteJob(considering, { executor: 'slurm', id: '7' }, 'a place'),
    renewWaiting: (runs) => runs.renewWaiting([considering], 'a place'),
    unregisterData: (runs) => runs.unregisterData(busy, [OLD_LOCATION]),
    withdrawData: (runs) => runs.withdrawData(busy.id, host, [OLD_LOCATION]),
    withdrawSettled: (runs) => runs.withdrawSettled(done, host, [OLD_LOCATION]),
    withdrawLive: (runs) =>
      runs.withdrawLive(doneBy, LIVE_LOCATION, { unlessTagged: ['keep'], again: false }),
    conclude: (runs) => runs.conclude(busy, { kind: 'done', register: [PRODUCT] }),
    settle: (runs) => runs.settle(waiting, host, { kind: 'abandoned', reason: null }),
    retry: (runs) => runs.retry(waiting, host, 0),
    renumber: (runs) => runs.renumber(waiting, 9, true, attempt),
    mendStatus: (runs) => runs.mendStatus(done),
    hold: (runs) => runs.hold(waiting, 'shifter'),
    release: (runs) => runs.release(held),
  };
}

/** Each question about runs, asked once; the change stream is not among them. */
export function runReads(on: RunsOfCalls): Calls<Exclude<keyof RunStore, Write | 'watch'>> {
  const { busy, waiting, now } = on;
  const due = { giveUpAfter: 10, limit: 5 };
  const since = { since: now, limit: 5 };
  const after: ObjectId = waiting.id;
  return {
    newCandidates: (runs) => runs.newCandidates({ limit: 5, withoutDetector: 'tpc' }),
    retryDue: (runs) => runs.retryDue({ now, ...due }),
    overdue: (runs) => runs.overdue({ before: now, ...due }),
    ownRuns: (runs) => runs.ownRuns(busy.host),
    unsettled: (runs) => runs.unsettled(),
    waitingTagged: (runs) => runs.waitingTagged('abandon', 5),
    doneUnfinished: (runs) => runs.doneUnfinished({ ...since, taggedSince: now, tag: 'abandon' }),
    doneWithoutStatus: (runs) => runs.doneWithoutStatus({ ...since, host: busy.host }),
    byNumber: (runs) => runs.byNumber(1),
    byIds: (runs) => runs.byIds([waiting.id]),
    byId: (runs) => runs.byId(waiting.id),
    ofNumbers: (runs) => runs.ofNumbers([1, 2]),
    setAsideForNumber: (runs) => runs.setAsideForNumber(after, 5),
    setAsideForFault: (runs) => runs.setAsideForFault(null, 5),
    numbered: (runs) => runs.numbered(1, 200),
    list: (runs) => runs.list({ limit: 5 }),
    suspects: (runs) => runs.suspects({ from: 1, to: 5, numbers: 5 }),
    queueCounts: (runs) => runs.queueCounts(now, 10),
  };
}

/** As calls of the whole store, by names like `runs.claim`. */
export function runCalls(
  on: RunsOfCalls,
): Record<string, (store: { runs: RunStore }) => Promise<unknown>> {
  return Object.fromEntries(
    Object.entries({ ...runReads(on), ...runWrites(on) }).map(([name, call]) => [
      `runs.${name}`,
      ({ runs }: { runs: RunStore }) => call(runs),
    ]),
  );
}

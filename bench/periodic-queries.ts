import { openStore } from '../src/database/open.ts';
import { defaultRules } from '../src/infra/config/rules.pure.ts';
import type { Store } from '../src/ports/store.ts';
import { ABANDON_TAG, HOLD_TAG } from '../src/run/run-tags.pure.ts';
import type { Lab } from '../tests/support/lab.ts';
import { median } from './figures.ts';
import { cpuSeconds, memoryMb } from './process-use.ts';

interface Query {
  name: string;
  /** How often, and by whom; beside a change stream. */
  when: string;
  ask: (store: Store, now: Date) => Promise<unknown[]>;
}

export interface QueryFigures {
  name: string;
  when: string;
  answered: number;
  read: number;
  ms: number;
  serverMs: number;
  /** The growth of the server's memory with all of them. */
  grownMb: number;
}

const TIMES = 5;
const PAGE = 20;
const BATCH = 200;
const DAY_MS = 86_400_000;
const { claim, retry } = defaultRules;
const DUE = {
  ...{ giveUpAfter: retry.maxFailures, limit: PAGE },
  withoutTags: [ABANDON_TAG, HOLD_TAG],
  withOddCounts: false,
};
const HOST = 'bench00.test.local';
const EACH_LOOK = 'each read of the queue: at each hint, else once a minute; each free host';
const DUTY = 'two hosts';

/** What managers ask again and again, whether or not anything happens. */
const QUERIES: readonly Query[] = [
  {
    name: 'new runs',
    when: EACH_LOOK,
    ask: ({ runs }) => runs.newCandidates({ limit: PAGE, withoutTags: [ABANDON_TAG] }),
  },
  {
    name: 'failed runs that are due',
    when: EACH_LOOK,
    ask: ({ runs }, now) => runs.retryDue({ ...DUE, now }),
  },
  {
    name: 'those with odd counts too',
    when: `2 min; ${DUTY}`,
    ask: ({ runs }, now) => runs.retryDue({ ...DUE, now, withOddCounts: true }),
  },
  {
    name: 'what has waited too long: new',
    when: 'each look with 20 new runs or more',
    ask: ({ runs }, now) =>
      runs.newCandidates({
        ...{ limit: PAGE, withoutTags: [ABANDON_TAG] },
        begunBefore: new Date(now.getTime() - claim.overdueSeconds * 1000),
      }),
  },
  {
    name: 'what has waited too long: failed',
    when: 'each look with 20 failed runs or more',
    ask: ({ runs }, now) =>
      runs.overdue({ ...DUE, before: new Date(now.getTime() - claim.overdueSeconds * 1000) }),
  },
  {
    name: 'runs that somebody has',
    when: `25 s; ${DUTY}`,
    ask: ({ runs }) => runs.unsettled(),
  },
  {
    name: 'waiting runs tagged to be abandoned',
    when: `2 min; ${DUTY}`,
    ask: ({ runs }) => runs.waitingTagged(ABANDON_TAG, BATCH),
  },
  {
    name: 'done runs that lack something',
    when: `2 min; ${DUTY}`,
    ask: ({ runs }, now) =>
      runs.doneUnfinished({
        ...{ since: new Date(now.getTime() - 7 * DAY_MS), limit: BATCH },
        ...{ tag: ABANDON_TAG, taggedSince: new Date(now.getTime() - DAY_MS) },
      }),
  },
  {
    name: 'done runs of this host that were not handed on',
    when: '2 min; each host',
    ask: ({ runs }, now) =>
      runs.doneWithoutStatus({
        ...{ since: new Date(now.getTime() - 7 * DAY_MS), limit: BATCH },
        host: HOST,
      }),
  },
  {
    name: 'runs set aside for a fault',
    when: `5 min; ${DUTY}`,
    ask: ({ runs }) => runs.setAsideForFault(null, BATCH),
  },
  {
    name: 'runs set aside for their number',
    when: `5 min; ${DUTY}`,
    ask: ({ runs }) => runs.setAsideForNumber(null, BATCH),
  },
  {
    name: 'length of the queue',
    when: 'backup hosts: each look with candidates; idle hosts that make debts: 1 min',
    ask: async ({ runs }, now) => [await runs.queueCounts(now, retry.maxFailures)],
  },
  {
    name: 'debts offered to this host',
    when: '1 min; each idle host',
    ask: ({ debts }) => debts.offered(HOST, PAGE),
  },
  {
    name: 'what people have asked for',
    when: '1 min; each host (5 min where its change stream is quiet)',
    ask: ({ actions }) => actions.open(),
  },
  {
    name: 'the hosts',
    when: `1 min, each host; 2 min more, ${DUTY}`,
    ask: ({ hosts }) => hosts.all(),
  },
  {
    name: 'heartbeats of the others',
    when: `2 min; ${DUTY}`,
    ask: ({ silentHosts }, now) =>
      silentHosts.withHeartbeatSince([HOST, 'eb1'], new Date(now.getTime() - 300_000)),
  },
];

/** Asks each of them several times, with nothing else going on. */
export async function measureQueries(
  lab: Lab,
  server: number,
  read: () => number,
): Promise<QueryFigures[]> {
  const store = openStore(
    {
      ...{ runsUrl: lab.url, daqUrl: null, runsDb: lab.runsDb, daqDb: lab.daqDb },
      ...{ runsCredentials: null, daqCredentials: null, manage: false, callTimeoutSeconds: 300 },
    },
    () => undefined,
  );
  try {
    const figures: QueryFigures[] = [];
    const now = await store.serverTime();
    for (const { name, when, ask } of QUERIES) {
      const before = { read: read(), cpu: cpuSeconds(server), mb: memoryMb(server) };
      const times: number[] = [];
      let answered = 0;
      for (let i = 0; i < TIMES; i++) {
        const begin = performance.now();
        answered = (await ask(store, now)).length;
        times.push(performance.now() - begin);
      }
      figures.push({
        ...{ name, when, answered, ms: median(times) },
        read: (read() - before.read) / TIMES,
        serverMs: (1000 * (cpuSeconds(server) - before.cpu)) / TIMES,
        grownMb: memoryMb(server) - before.mb,
      });
    }
    return figures;
  } finally {
    await store.close();
  }
}

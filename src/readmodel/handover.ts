import type { ActionDocument } from '../features/actions/action.port.ts';
import { systemClock } from '../infra/clock/clock.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { Store } from '../ports/store.ts';
import type { HandoverAnswer } from './api.ts';
import { failureGroups } from './failures.pure.ts';
import { handoverText } from './handover.pure.ts';
import { HostReader, readWaiting, rowOf } from './readings.ts';

const HOUR_MS = 3_600_000;
/** One run per minute for eight hours. */
const MOST_RUNS = 500;
const MOST_ATTEMPTS = 5000;
const MOST_LISTED = 200;
/** A failure that has not been seen for this time counts as new. */
const KNOWN_DAYS = 30;

/** The report of the last hours for the next shift, as text for a log book. */
export async function handover(store: Store, rules: Rules, hours: number): Promise<HandoverAnswer> {
  const now = await store.serverTime();
  const from = new Date(now.getTime() - hours * HOUR_MS);
  const known = new Date(now.getTime() - KNOWN_DAYS * 24 * HOUR_MS);
  const { views, cards } = await new HostReader(systemClock).read(store, rules, now);
  const [recent, waiting, ended, failures, debts, deletions, actions] = await Promise.all([
    store.overview.recent(MOST_RUNS),
    readWaiting(store, cards, rules, now),
    store.overview.endedSince(from, MOST_ATTEMPTS),
    store.overview.failuresSince(known, MOST_ATTEMPTS),
    store.debts.open({ since: from, limit: MOST_LISTED }),
    store.deletions.since(from, MOST_LISTED),
    store.actions.list({ limit: MOST_LISTED }),
  ]);
  const begun = recent
    .map((document) => rowOf(document, now, rules))
    .filter(({ start }) => start !== null && Date.parse(start) >= from.getTime());
  const text = handoverText({
    from,
    to: now,
    ...waiting,
    runs: begun,
    runsAtLeast: begun.length === MOST_RUNS,
    ended,
    failures: failureGroups(
      failures,
      views.map(({ host }) => host),
      now,
    ),
    debts: debts.map(({ run, result }) => ({ run, lacks: result?.dropped ?? [] })),
    hosts: cards,
    deletions,
    actions: actions
      .filter(({ requested }) => requested >= from)
      .reverse()
      .map(actionOf),
  });
  return { now: now.toISOString(), hours, text };
}

function actionOf({ requested, by, kind, reason, state, run, host, item }: ActionDocument) {
  const target = run === null ? (host ?? item ?? '') : `run ${run}`;
  return { requested, by, kind, target, reason, state };
}

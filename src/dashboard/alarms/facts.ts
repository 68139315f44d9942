import type { AlarmFacts } from '../../domain/alarms/rules.ts';
import type { Rules } from '../../domain/rules.ts';
import type { Store } from '../../store/types.ts';
import { readWaiting, waitingOf, type HostReader } from '../readings.ts';

const MOST_WAITING = 1000;
const MOST_ENDED = 1000;

/** What the rules look at: what the pages show, read anew, also while nobody looks at them. */
export async function readFacts(
  store: Store,
  hostReader: HostReader,
  rules: Rules,
  nothingProcessedSeconds: number,
  now: Date,
): Promise<AlarmFacts> {
  const { cards } = await hostReader.read(store, rules, now);
  const since = new Date(now.getTime() - nothingProcessedSeconds * 1000);
  const [{ attention }, untouched, inWork, ended] = await Promise.all([
    readWaiting(store, cards, rules, now),
    store.overview.untouched(MOST_WAITING),
    store.overview.working(),
    store.overview.endedSince(since, MOST_ENDED),
  ]);
  return {
    attention,
    hosts: cards,
    untouched: untouched.map(waitingOf),
    inWork: inWork.length,
    ended,
  };
}

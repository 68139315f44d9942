import type { Settings } from '../../infra/config/entries.ts';
import type { Store } from '../../ports/store.ts';
import { type HostReader, readWaitingRuns } from '../../readmodel/readings.ts';
import { isWorking } from '../../readmodel/run-condition.pure.ts';
import type { AlarmFacts } from './alarm-rules.pure.ts';

const MOST_ENDED = 1000;

/** Reads the facts for the rules. They are those of the pages, and are read whether or not a page is open. */
export async function readFacts(
  store: Store,
  hostReader: HostReader,
  { rules, alarms }: Pick<Settings, 'rules' | 'alarms'>,
  now: Date,
): Promise<AlarmFacts> {
  const { cards } = await hostReader.read(store, rules, now);
  const since = new Date(now.getTime() - alarms.nothingProcessedSeconds * 1000);
  const [{ attention, untouched, rows }, ended] = await Promise.all([
    readWaitingRuns(store, cards, rules, now),
    store.overview.endedSince(since, MOST_ENDED),
  ]);
  const inWork = rows.filter(({ condition }) => isWorking(condition)).length;
  return { attention, hosts: cards, untouched, inWork, ended };
}

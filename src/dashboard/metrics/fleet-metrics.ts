import type { Rules } from '../../infra/config/rules.pure.ts';
import type { Family } from '../../infra/metrics/exposition.pure.ts';
import type { Store } from '../../ports/store.ts';
import { type HostReader, readRuns, readWaitingRuns } from '../../readmodel/readings.ts';
import { fleetFamilies } from './fleet-metrics.pure.ts';
import { hostFigures } from './host-metrics.pure.ts';

/** Gauges of the fleet: what the pages show, by the same functions, in a few bounded queries. */
export async function readFleet(
  store: Store,
  hostReader: HostReader,
  rules: Rules,
  now: Date,
): Promise<Family[]> {
  const [{ cards }, documents, { working, strip }] = await Promise.all([
    hostReader.read(store, rules, now),
    store.hosts.all(),
    readRuns(store, rules, now),
  ]);
  const { untouched, rows, queue, attention } = await readWaitingRuns(store, cards, rules, now);
  const freshHeld = untouched.filter(({ held }) => held).length;
  return fleetFamilies({
    now,
    recent: strip,
    fresh: untouched.length - freshHeld,
    freshHeld,
    rows,
    working,
    queue,
    attention,
    hosts: cards,
    figures: documents.map(hostFigures),
  });
}

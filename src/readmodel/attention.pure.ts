import { slotsNow } from '../claim/slots.pure.ts';
import { itemMarks, type Standings } from '../features/actions/acknowledgement.pure.ts';
import { fleetTroubles, hostTroubles } from './attention-hosts.pure.ts';
import {
  ATTENTION_KINDS,
  type AttentionItem,
  type AttentionLimits,
} from './attention-item.pure.ts';
import { type RunToLookAt, runTroubles, sharedTroubles } from './attention-runs.pure.ts';
import type { HostCard } from './hosts.pure.ts';

export { ATTENTION_KINDS, type AttentionItem } from './attention-item.pure.ts';
export type { RunToLookAt } from './attention-runs.pure.ts';

/** What the fleet is judged by. */
interface LookedAt {
  runs: readonly RunToLookAt[];
  hosts: readonly HostCard[];
  /** When each run changed last, by the id of its document. */
  changedAt: ReadonlyMap<string, Date | null>;
  standings?: Standings;
}

/** What needs attention, most urgent first; normally nothing. */
export function attention(
  { runs, hosts, changedAt, standings = new Map() }: LookedAt,
  limits: AttentionLimits,
  now: Date,
): AttentionItem[] {
  const reading = { limits, now, places: slotsNow(hosts) };
  const items = [
    ...fleetTroubles(hosts),
    ...hosts.flatMap(hostTroubles),
    ...sharedTroubles(runs, now),
    ...runs.flatMap((run) => runTroubles(run, changedAt.get(run.id) ?? null, reading)),
  ].map(({ occurrence, ...item }): AttentionItem => {
    const key = `${item.kind}:${item.run ?? item.host ?? '?'}`;
    const known = { detail: null, cause: null, advice: null, ...item };
    return { ...known, ...itemMarks(key, occurrence, standings, now) };
  });
  return onceEach(items).sort((a, b) => urgencyOf(a) - urgencyOf(b) || (b.run ?? 0) - (a.run ?? 0));
}

/** Several documents of one number have one item. */
function onceEach(items: readonly AttentionItem[]): AttentionItem[] {
  const told = new Set<string>();
  return items.filter(({ kind, key }) => {
    if (kind !== 'same_number') return true;
    const isFirst = !told.has(key);
    told.add(key);
    return isFirst;
  });
}

function urgencyOf({ kind }: AttentionItem): number {
  return ATTENTION_KINDS.indexOf(kind);
}

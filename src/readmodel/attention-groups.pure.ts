import { counted } from '../infra/values/counted.pure.ts';
import type { AttentionItem, AttentionKind } from './attention-item.pure.ts';

/** Items of one trouble. */
export interface AttentionGroup {
  /** The same text for the same trouble. */
  id: string;
  /** One line for all of them. */
  what: string;
  /** Of the oldest; ISO 8601, UTC, null: not known. */
  since: string | null;
  /** At least one, in the order in which they were. */
  items: [AttentionItem, ...AttentionItem[]];
  /** Items of the same trouble that somebody takes care of already. */
  takenOn: AttentionItem[];
}

/** How several runs of one kind stand, after their number. */
const STAND: Partial<Record<AttentionKind, string>> = {
  given_up: 'are given up',
  set_aside: 'are set aside',
  promise_missed: 'are due for a retry',
  run_silent: 'have no heartbeat',
  run_stalled: 'are stalled',
  not_handed_on: 'are done, but not handed on',
  incomplete: 'are done, but live data was missing',
};

/** What nobody takes care of yet, one group for each trouble, in the order of the items. */
export function openGroups(items: readonly AttentionItem[]): AttentionGroup[] {
  const taken = items.filter(({ acknowledged }) => acknowledged !== null);
  const groups = new Map<string, AttentionItem[]>();
  for (const item of items) {
    if (item.acknowledged !== null) continue;
    const id = troubleId(item);
    groups.set(id, [...(groups.get(id) ?? []), item]);
  }
  return [...groups].flatMap(([id, members]) => {
    const [first, ...more] = members;
    if (first === undefined) return [];
    return [
      {
        id,
        what: headline(first, members.length),
        since: oldest(members),
        items: [first, ...more] satisfies AttentionGroup['items'],
        takenOn: taken.filter((item) => troubleId(item) === id),
      },
    ];
  });
}

function troubleId({ kind, cause, key }: AttentionItem): string {
  return cause === null ? key : `${kind}:${cause}`;
}

function headline({ kind, what, cause }: AttentionItem, count: number): string {
  const stand = STAND[kind];
  if (count === 1 || stand === undefined) return what;
  const why = cause === null || stand.includes(cause) ? '' : `: ${cause}`;
  return `${counted(count, 'run')} ${stand}${why}`;
}

function oldest(items: readonly AttentionItem[]): string | null {
  const times = items.flatMap(({ since }) => since ?? []);
  return times.length === 0 ? null : times.reduce((one, other) => (other < one ? other : one));
}

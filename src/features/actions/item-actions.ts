import { itemMarks } from './acknowledgement.pure.ts';
import type { Ask, TargetState, Tools } from './action.ts';
import { itemParts } from './seen.pure.ts';

const FAILURES = 'failure:';

/** The state of an item for an action. */
export async function readItemTarget(tools: Tools, item: string): Promise<TargetState> {
  const found = await findItem(tools, item);
  if (found === null) {
    return {
      seen: '',
      before: null,
      possible: false,
      effect: `${item} does not need attention any more`,
    };
  }
  const standing = (await tools.store.actions.standing()).find((each) => each.item === item);
  return {
    seen: found.seen,
    before: {
      what: found.what,
      acknowledged: standing === undefined ? null : { by: standing.by, reason: standing.reason },
    },
    possible: true,
    effect:
      standing === undefined
        ? 'It is shown as acknowledged by you.'
        : `It is shown as acknowledged by you. This replaces the acknowledgement of ${standing.by}: ${standing.reason}`,
  };
}

async function findItem(
  { attention, store }: Tools,
  item: string,
): Promise<{ seen: string; what: string } | null> {
  if (!item.startsWith(FAILURES)) {
    return (await attention()).find(({ key }) => key === item) ?? null;
  }
  const fingerprint = item.slice(FAILURES.length);
  const [now, standings] = await Promise.all([store.serverTime(), store.actions.standing()]);
  const marks = itemMarks(
    item,
    fingerprint,
    new Map(standings.map((each) => [each.item, each])),
    now,
  );
  return { seen: marks.seen, what: `failures ${fingerprint}` };
}

/** Makes this action the acknowledgement of the item, if the one that was seen is still the newest. */
export async function acknowledge(
  { store }: Tools,
  { by, reason, hours }: Ask,
  { item, id, seen }: { item: string; id: string; seen: string },
): Promise<'landed' | 'changed'> {
  const parts = itemParts(seen);
  if (parts === null) return 'changed';
  return store.actions.acknowledge(
    { item, action: id, occurrence: parts.occurrence, by, reason, hours },
    parts.acknowledgedBy,
  );
}

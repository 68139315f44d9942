import type { RunActionKind } from '../../../src/features/actions/action-table.pure.ts';
import type { HostCard } from '../../../src/readmodel/hosts.pure.ts';
import type { RunRow } from '../../../src/readmodel/run-row.pure.ts';
import type { RunAdvice } from '../../../src/readmodel/trouble.pure.ts';
import { HOLD_TAG } from '../../../src/run/run-tags.pure.ts';
import type { Offer } from './buttons.tsx';

const isOver = ({ state }: RunRow) => state === 'done' || state === 'abandoned';
const isHeld = ({ tags }: RunRow) => tags.includes(HOLD_TAG);

/** When each is offered for a run, in the order of the buttons; null: not at all. */
const RUN_OFFERS: Readonly<
  Record<RunActionKind, ((run: RunRow) => Omit<Offer, 'kind'> | null) | null>
> = {
  retry: ({ state, condition }) => ({ fits: state === 'failed' && condition !== 'given_up' }),
  hold: (run) => (isHeld(run) ? null : { fits: !isOver(run) }),
  release: (run) => (isHeld(run) ? { fits: true, advised: run.condition === 'held' } : null),
  reprocess: (run) => ({ fits: run.state === 'failed' || isOver(run) }),
  abandon: (run) => ({ fits: !isOver(run) }),
  // With the log at hand, on the command line.
  fail: null,
  renumber: null,
};

const RUN_KINDS = Object.keys(RUN_OFFERS) as RunActionKind[];

/** What can be done with a run that stands so; the server has the last word. `advice`: what helps is coloured. */
export function runOffers(run: RunRow, advice: RunAdvice | null): Offer[] {
  return RUN_KINDS.flatMap((kind) => {
    const offer = RUN_OFFERS[kind]?.(run) ?? null;
    const helps = advice?.button?.kind === kind ? { advised: true } : {};
    return offer === null ? [] : [{ kind, ...offer, ...helps }];
  });
}

/** What can be done with many runs at a time. */
export const MANY_RUNS: readonly Offer[] = RUN_KINDS.filter(
  (kind) => RUN_OFFERS[kind] !== null,
).map((kind) => ({ kind, fits: true }));

/** The actions on a host. */
export function hostOffers({ drained, condition }: HostCard): Offer[] {
  const isDrained = drained !== null || condition === 'drained';
  return [{ kind: isDrained ? 'undrain' : 'drain', fits: true }];
}

import type { HostCard } from '../../../src/readmodel/hosts.pure.ts';
import type { RunRow } from '../../../src/readmodel/run-row.pure.ts';
import { HOLD_TAG } from '../../../src/infra/config/rules.pure.ts';
import type { Offer } from './buttons.tsx';

/** What can be done with a run that stands so; the server has the last word. */
export function runOffers({ condition, state, tags }: RunRow): Offer[] {
  const held = tags.includes(HOLD_TAG);
  const ended = state === 'failed' || state === 'done' || state === 'abandoned';
  const over = state === 'done' || state === 'abandoned';
  return [
    { kind: 'retry', fits: state === 'failed' && condition !== 'given_up' },
    held
      ? { kind: 'release', fits: true, advised: condition === 'held' }
      : { kind: 'hold', fits: !over },
    {
      kind: 'reprocess',
      fits: ended,
      advised: condition === 'debt' || condition === 'given_up',
    },
    { kind: 'abandon', fits: !over },
  ];
}

/** What can be done with many runs at a time. */
export const MANY_RUNS: readonly Offer[] = (
  ['retry', 'hold', 'release', 'reprocess', 'abandon'] as const
).map((kind) => ({ kind, fits: true }));

/** What can be done with a host. */
export function hostOffers({ drained, condition }: HostCard): Offer[] {
  const isDrained = drained !== null || condition === 'drained';
  return [{ kind: isDrained ? 'undrain' : 'drain', fits: true }];
}

import type { Condition } from '../../../src/domain/overview/condition.ts';
import type { HostCard } from '../../../src/domain/overview/hosts.ts';
import type { Offer } from './buttons.tsx';

const RETRIED: readonly Condition[] = ['retrying', 'requeued', 'given_up', 'set_aside'];
const OVER: readonly Condition[] = ['done', 'debt', 'abandoned'];

/** What can be done with a run that stands so; the server has the last word. */
export function runOffers(condition: Condition): Offer[] {
  const held = condition === 'held';
  const over = OVER.includes(condition);
  return [
    { kind: 'retry', fits: RETRIED.includes(condition), advised: condition === 'given_up' },
    held ? { kind: 'release', fits: true, advised: true } : { kind: 'hold', fits: !over },
    {
      kind: 'reprocess',
      fits: ['debt', 'given_up', 'done'].includes(condition),
      advised: condition === 'debt',
    },
    { kind: 'abandon', fits: !over },
  ];
}

/** What can be done with many runs at a time. */
export const MANY_RUNS: readonly Offer[] = [
  { kind: 'retry', fits: true },
  { kind: 'hold', fits: true },
  { kind: 'release', fits: true },
  { kind: 'reprocess', fits: true },
  { kind: 'abandon', fits: true },
];

/** What can be done with a host. */
export function hostOffers({ drained, condition }: HostCard): Offer[] {
  const isDrained = drained !== null || condition === 'drained';
  return [{ kind: isDrained ? 'undrain' : 'drain', fits: true }];
}

import { HOLD_TAG } from '../run/run-tags.pure.ts';
import type { RunView } from '../run/run-view.pure.ts';

/** The conditions of runs, for people: finer than `bootstrax.state`, and each run has exactly one. */
export const CONDITIONS = [
  'new',
  'considering',
  'busy',
  'stalled',
  'done',
  'debt',
  'retrying',
  'requeued',
  'given_up',
  'set_aside',
  'held',
  'abandoned',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A colour group; never the only sign of a condition. */
export type Tone = 'idle' | 'active' | 'good' | 'warn' | 'bad' | 'off';

/** Shapes differ also in black and white, and for readers who do not tell red from green. */
export type Shape =
  | 'ring'
  | 'dots'
  | 'play'
  | 'hourglass'
  | 'disc'
  | 'part'
  | 'triangle'
  | 'return'
  | 'cross'
  | 'diamond'
  | 'pause'
  | 'dash';

export interface Look {
  word: string;
  shape: Shape;
  tone: Tone;
  /** One sentence. */
  meaning: string;
}

export const LOOKS: Readonly<Record<Condition, Look>> = {
  new: { word: 'new', shape: 'ring', tone: 'idle', meaning: 'No host has claimed it yet.' },
  considering: {
    word: 'starting',
    shape: 'dots',
    tone: 'active',
    meaning: 'A host has claimed it and prepares the processing.',
  },
  busy: { word: 'busy', shape: 'play', tone: 'active', meaning: 'It is being processed.' },
  stalled: {
    word: 'stalled',
    shape: 'hourglass',
    tone: 'warn',
    meaning: 'A host has it, but it makes no progress.',
  },
  done: { word: 'done', shape: 'disc', tone: 'good', meaning: 'All targets are made.' },
  debt: {
    word: 'done, in part',
    shape: 'part',
    tone: 'warn',
    meaning: 'It is done with fewer targets than wanted.',
  },
  retrying: {
    word: 'failed, retries',
    shape: 'triangle',
    tone: 'warn',
    meaning: 'The last attempt failed; another one follows.',
  },
  requeued: {
    word: 'requeued',
    shape: 'return',
    tone: 'idle',
    meaning: 'The last attempt ended through no fault of the run; another one follows.',
  },
  given_up: {
    word: 'given up',
    shape: 'cross',
    tone: 'bad',
    meaning: 'It has failed too often; only a person can bring it back.',
  },
  set_aside: {
    word: 'set aside',
    shape: 'diamond',
    tone: 'bad',
    meaning:
      'Its document or its live data must be corrected by a person; then it can be tried again.',
  },
  held: {
    word: 'held',
    shape: 'pause',
    tone: 'off',
    meaning: 'No host takes it until a person releases it.',
  },
  abandoned: {
    word: 'abandoned',
    shape: 'dash',
    tone: 'off',
    meaning: 'A person has decided that it is not processed.',
  },
};

/** The condition of a run; after `giveUpAfter` counted failures it is given up. */
export function conditionOf(run: RunView, giveUpAfter: number): Condition {
  switch (run.state) {
    case 'considering':
    case 'abandoned':
      return run.state;
    case 'busy':
      return run.progress?.isStalled === true ? 'stalled' : 'busy';
    case 'done':
      return missingTargets(run).length > 0 ? 'debt' : 'done';
    case 'failed':
      if (run.failures >= giveUpAfter || run.outcome === 'given_up') return 'given_up';
      if (run.malformed.length > 0 || run.outcome === 'set_aside' || run.nextRetry === null) {
        return 'set_aside';
      }
      if (run.tags.includes(HOLD_TAG)) return 'held';
      return run.outcome === 'requeued' ? 'requeued' : 'retrying';
    default:
      if (run.malformed.length > 0) return 'set_aside';
      return run.tags.includes(HOLD_TAG) ? 'held' : 'new';
  }
}

/** Targets that were dropped and have not been stored since. */
export function missingTargets(run: Pick<RunView, 'dropped' | 'stored'>): string[] {
  return run.dropped.filter((type) => !run.stored.includes(type));
}

/** Whether a host has the run. */
export function isWorking(condition: Condition): boolean {
  return condition === 'considering' || condition === 'busy' || condition === 'stalled';
}

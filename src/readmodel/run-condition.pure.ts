import type { RunView } from '../run/run-view.pure.ts';
import { HOLD_TAG } from '../run/run-tags.pure.ts';

/** How a run stands, for people: finer than `bootstrax.state`, and each run has exactly one. */
export const CONDITIONS = [
  'new',
  'considering',
  'busy',
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

/** Told apart in black and white and by those who do not see red from green. */
export type Shape =
  | 'ring'
  | 'dots'
  | 'play'
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
  new: { word: 'new', shape: 'ring', tone: 'idle', meaning: 'No host has taken it yet.' },
  considering: {
    word: 'starting',
    shape: 'dots',
    tone: 'active',
    meaning: 'A host has taken it and prepares the processing.',
  },
  busy: { word: 'busy', shape: 'play', tone: 'active', meaning: 'It is being processed.' },
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
    meaning: 'The last attempt failed; there will be another.',
  },
  requeued: {
    word: 'requeued',
    shape: 'return',
    tone: 'idle',
    meaning: 'The last attempt ended through no fault of the run; there will be another.',
  },
  given_up: {
    word: 'given up',
    shape: 'cross',
    tone: 'bad',
    meaning: 'It failed too often: only a person brings it back.',
  },
  set_aside: {
    word: 'set aside',
    shape: 'diamond',
    tone: 'bad',
    meaning:
      'Its document is malformed, or nothing says when it is tried again: a person must look.',
  },
  held: {
    word: 'held',
    shape: 'pause',
    tone: 'off',
    meaning: 'A person has told all hosts to leave it alone.',
  },
  abandoned: {
    word: 'abandoned',
    shape: 'dash',
    tone: 'off',
    meaning: 'A person has told that it is not to be processed.',
  },
};

/** Which condition a run is in; `giveUpAfter` is the number of counted failures. */
export function conditionOf(run: RunView, giveUpAfter: number): Condition {
  switch (run.state) {
    case 'considering':
    case 'busy':
    case 'abandoned':
      return run.state;
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

/** Targets that were left out and have not been stored since. */
export function missingTargets(run: Pick<RunView, 'dropped' | 'stored'>): string[] {
  return run.dropped.filter((type) => !run.stored.includes(type));
}

/** The host is working on it. */
export function isWorking(condition: Condition): boolean {
  return condition === 'considering' || condition === 'busy';
}

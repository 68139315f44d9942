import type { RunState } from './run-shape.pure.ts';

export { checkRun, parseRun, readRun } from './run-document.pure.ts';
export { OUTCOMES, problemsText, RUN_STATES } from './run-shape.pure.ts';
export type {
  Again,
  BootstraxFields,
  FieldProblem,
  OutcomeName,
  ParsedRun,
  Run,
  RunState,
} from './run-shape.pure.ts';
export type { StoredRun } from './stored-run.pure.ts';

/** A legal change of `bootstrax.state` (reference, section 2.3, with what this program adds). */
export interface Transition {
  readonly from: RunState | null;
  readonly to: RunState;
  readonly when: string;
}

/** All of them; the table of the documentation is made from this one. */
export const TRANSITIONS: readonly Transition[] = [
  { from: null, to: 'considering', when: 'a host claims a new run' },
  { from: 'failed', to: 'considering', when: 'a host claims a run that is due again' },
  { from: 'considering', to: 'considering', when: 'the holder renews its claim' },
  { from: 'considering', to: 'busy', when: 'the child is started' },
  { from: 'busy', to: 'busy', when: 'the holder renews its claim or adopts its child' },
  { from: 'busy', to: 'considering', when: 'a stale run is taken from its holder' },
  { from: 'busy', to: 'done', when: 'the child finished and its products passed all checks' },
  { from: 'considering', to: 'failed', when: 'it cannot be started, or its host is gone' },
  { from: 'busy', to: 'failed', when: 'the attempt failed, or its host is gone' },
  { from: null, to: 'failed', when: 'a malformed document is set aside, or an operator fails it' },
  { from: 'failed', to: 'failed', when: 'an operator retries or fails it, or it is set aside' },
  { from: 'done', to: 'failed', when: 'an operator fails it' },
  { from: 'abandoned', to: 'failed', when: 'an operator retries or fails it' },
  { from: null, to: 'abandoned', when: 'an operator or its tag abandons it' },
  { from: 'considering', to: 'abandoned', when: 'an operator abandons it' },
  { from: 'busy', to: 'abandoned', when: 'an operator abandons it' },
  { from: 'done', to: 'abandoned', when: 'an operator abandons it, or its tag within a day' },
  { from: 'failed', to: 'abandoned', when: 'an operator or its tag abandons it' },
];

export function canTransition(from: RunState | null, to: RunState): boolean {
  return TRANSITIONS.some((transition) => transition.from === from && transition.to === to);
}

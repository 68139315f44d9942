import type { ActionTarget, ActionView } from '../../../src/readmodel/action-api.ts';
import type { ActionKind } from '../../../src/features/actions/action-kinds.pure.ts';
import type { Shape, Tone } from '../../../src/readmodel/run-condition.pure.ts';
import { count } from '../format.ts';

/** What is written on the button of each action. */
export const ACTION_NAMES: Readonly<Record<ActionKind, string>> = {
  retry: 'Retry now',
  hold: 'Hold',
  release: 'Release',
  abandon: 'Abandon',
  reprocess: 'Reprocess with all targets',
  fail: 'Fail',
  renumber: 'Give another number',
  drain: 'Drain',
  undrain: 'Undrain',
  acknowledge: 'Acknowledge',
};

/** What each does, in one sentence, for those who hover. */
export const ACTION_MEANINGS: Readonly<Record<ActionKind, string>> = {
  retry: 'Offers the run to the hosts at once.',
  hold: 'Tells all hosts to leave the run alone until it is released.',
  release: 'Lets the hosts take the run again.',
  abandon: 'Stops the processing for good; the data of the run may be deleted.',
  reprocess: 'Offers the run again, with every target that was left out.',
  fail: 'Ends the attempt under way as a failure; another will follow.',
  renumber: 'Gives the document a number of its own, where several have the same.',
  drain: 'The host ends the run it has and takes no other.',
  undrain: 'The host takes runs again.',
  acknowledge: 'Tells the others that somebody takes care of it.',
};

/** These cannot be undone by another click. */
export const DANGEROUS: ReadonlySet<ActionKind> = new Set<ActionKind>(['abandon']);

/** How long those last that end by themselves, hours; null: until somebody ends it. */
export const LASTING: Readonly<Partial<Record<ActionKind, number>>> = { drain: 8, acknowledge: 24 };

/** How an action stands, by word and shape. */
export const STATE_LOOKS: Readonly<
  Record<ActionView['state'], { word: string; shape: Shape; tone: Tone }>
> = {
  requested: { word: 'requested', shape: 'ring', tone: 'idle' },
  seen: { word: 'seen', shape: 'dots', tone: 'active' },
  done: { word: 'done', shape: 'disc', tone: 'good' },
  refused: { word: 'refused', shape: 'cross', tone: 'bad' },
};

/** What an action is about, in words. */
export function targetName({ run, host, item }: ActionTarget): string {
  if (run !== undefined) return `run ${run}`;
  if (host !== undefined) return host;
  const [kind = '', ...rest] = (item ?? '').split(':');
  return kind === 'failure' ? 'this failure' : `${rest.join(':')} ${kind.replaceAll('_', ' ')}`;
}

/** The same for many. */
export function targetNames(targets: readonly ActionTarget[]): string {
  const [first] = targets;
  if (first === undefined) return 'nothing';
  if (targets.length === 1) return targetName(first);
  return count(
    targets.length,
    first.run !== undefined ? 'run' : first.host !== undefined ? 'host' : 'item',
  );
}

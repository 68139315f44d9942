import { ACTIONS, isActionKind } from '../../../src/features/actions/action-table.pure.ts';
import type { ActionTarget, ActionView } from '../../../src/readmodel/action-api.ts';
import type { Shape, Tone } from '../../../src/readmodel/run-condition.pure.ts';
import { count } from '../format.ts';

/** What is written on the button of an action; of one that this page does not know, its kind. */
export function buttonOf(kind: string): string {
  return isActionKind(kind) ? ACTIONS[kind].button : `${kind} (unknown)`;
}

/** Word and shape for each state of an action. */
export const STATE_LOOKS: Readonly<
  Record<ActionView['state'], { word: string; shape: Shape; tone: Tone }>
> = {
  requested: { word: 'requested', shape: 'ring', tone: 'idle' },
  seen: { word: 'seen', shape: 'dots', tone: 'active' },
  done: { word: 'done', shape: 'disc', tone: 'good' },
  refused: { word: 'refused', shape: 'cross', tone: 'bad' },
};

/** The target of an action, in words. */
export function targetName({ run, host, item }: ActionTarget): string {
  if (run !== undefined) return `run ${run}`;
  if (host !== undefined) return host;
  const [kind = '', ...rest] = (item ?? '').split(':');
  return kind === 'failure' ? 'this failure' : `${rest.join(':')} ${kind.replaceAll('_', ' ')}`;
}

/** The targets of an action, in words. */
export function targetNames(targets: readonly ActionTarget[]): string {
  const [first] = targets;
  if (first === undefined) return 'nothing';
  if (targets.length === 1) return targetName(first);
  if (first.run !== undefined) return count(targets.length, 'run');
  return count(targets.length, first.host !== undefined ? 'host' : 'item');
}

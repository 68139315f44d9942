import { type Command, InvalidArgumentError } from 'commander';

import type { ActionDocument } from '../../features/actions/action.port.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import { query } from '../framework/answering.ts';
import { table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';

interface Options {
  run?: number;
  host?: string;
  item?: string;
  limit: number;
}

/** `bootstrax actions`: who has requested what, why, and what became of it. */
export function addActions(program: Command): void {
  query(program, {
    name: 'actions',
    about: 'what people have requested, from the command line or the dashboard, newest first',
    takes: (command) =>
      command
        .option('--run <number>', 'only of this run', runNumber)
        .option('--host <name>', 'only of this host')
        .option('--item <key>', 'only of this item')
        .option('--limit <number>', 'at most this number of actions', limit, 30),
    json: 'one object: {actions}, as the dashboard has them',
    read: async ({ store }, { run, host, item, limit: most }: Options) => {
      const { actionView } = await import('../../dashboard/action-view.ts');
      const found = await store.actions.list({
        limit: most,
        ...(run === undefined ? {} : { run }),
        ...(host === undefined ? {} : { host }),
        ...(item === undefined ? {} : { item }),
      });
      return { found, actions: found.map(actionView) };
    },
    shape: ({ actions }) => ({ actions }),
    draw: ({ found }) => (found.length === 0 ? 'Nobody has requested anything.' : draw(found)),
  });
}

function draw(actions: readonly ActionDocument[]): string {
  return table(
    ['requested (UTC)', 'by', 'what', 'of', 'why', 'state', ''],
    actions.map((action) => [
      utcToTheSecond(action.requested),
      action.by,
      action.kind,
      action.run === null ? (action.host ?? action.item ?? '') : `run ${action.run}`,
      action.reason.replace(/\s+/g, ' ').slice(0, 60),
      action.state,
      outcomeOf(action),
    ]),
  );
}

function outcomeOf({ state, seenBy, awaits, message, expires }: ActionDocument): string {
  const until = expires === null ? '' : ` Until ${utcToTheSecond(expires)}.`;
  switch (state) {
    case 'requested':
      return awaits === null ? '' : `${awaits} has not noticed it yet`;
    case 'seen':
      return `${seenBy?.host ?? 'its host'} has noticed it`;
    case 'done':
    case 'refused':
      return `${message ?? ''}${until}`;
  }
}

function limit(text: string): number {
  const value = Number(text);
  if (/^\d{1,4}$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('A whole number, above 0.');
}

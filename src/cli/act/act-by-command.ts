import { userInfo } from 'node:os';
import type { Command } from 'commander';

import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import type { Acted } from '../../features/actions/act.ts';
import {
  type Ask,
  NO_REASON,
  type RunTarget,
  type Target,
  type Tools,
} from '../../features/actions/action.ts';
import type { ActionKind } from '../../features/actions/action-table.pure.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Store } from '../../ports/store.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { type RunArgument, runTarget } from '../framework/run-argument.ts';
import { withDatabase } from '../framework/with-database.ts';

/** An action as a command requests it; who requests it is added. */
export interface ActionCall {
  kind: ActionKind;
  target: Target;
  /** Words of a person; none: no reason is given. */
  words: readonly string[];
  hours?: number | undefined;
  fromStart?: boolean | undefined;
  evenDone?: boolean | undefined;
  /** Data may be deleted without a further question. */
  yes?: boolean | undefined;
  /** The new number of a document. */
  number?: number | undefined;
  /** Products of now stay until the new ones are there. */
  keep?: boolean | undefined;
  /** Where it is processed; absent: where there is a place. */
  on?: ExecutorName | undefined;
}

/** As the commands for hosts have it; words after the rest do as well. */
export const REASON_OPTION = ['--reason <text>', 'the same as words at the end'] as const;

/** A reason given either way, or both. */
export function wordsOf(words: readonly string[], reason: string | undefined): string[] {
  return reason === undefined ? [...words] : [...words, reason];
}

/** What the audit keeps of a command. */
export function askOf<K extends ActionKind, T extends Target>(
  call: ActionCall & { kind: K; target: T },
): Ask & { kind: K; target: T } {
  const { kind, target, words, hours, fromStart = false, evenDone = false } = call;
  const { number, keep, on } = call;
  return {
    ...{ kind, target, fromStart, evenDone, by: userInfo().username, via: 'command' },
    reason: words.join(' ').trim() || NO_REASON,
    hours: hours ?? null,
    ...(number === undefined ? {} : { number }),
    ...(keep === undefined ? {} : { keep }),
    ...(on === undefined ? {} : { on }),
    // A command is decided by what it finds.
    seen: null,
  };
}

export function toolsOf(store: Store, settings: Settings): Tools {
  const { rules, host } = settings;
  return {
    ...{ store, rules, writer: host.name, random: Math.random },
    attention: async () => {
      const { attentionNow } = await import('../../readmodel/readings.ts');
      return attentionNow(store, rules);
    },
    wake: async (at) => {
      const { wakeManager } = await import('../../dashboard/wake-manager.ts');
      return wakeManager(settings, at);
    },
  };
}

/** Carries out the action, or fails with the reason why not. */
export async function carryOut(command: Command, call: ActionCall): Promise<Acted> {
  return withDatabase(command, ({ store, settings }) =>
    carryOutWith(toolsOf(store, settings), call),
  );
}

/** The same at a run that a person has named by its number, or by the id of its document. */
export async function carryOutOnRun(
  command: Command,
  named: RunArgument,
  call: Omit<ActionCall, 'target'>,
): Promise<Acted & { target: RunTarget }> {
  return withDatabase(command, async ({ store, settings }) => {
    const target = await runTarget(store, named);
    return { ...(await carryOutWith(toolsOf(store, settings), { ...call, target })), target };
  });
}

async function carryOutWith(tools: Tools, call: ActionCall): Promise<Acted> {
  const { act, preview } = await import('../../features/actions/act.ts');
  const { askingOf } = await import('../../features/actions/run-actions.ts');
  const ask = askOf(call);
  const seen = await preview(tools, call.kind, call.target, askingOf(ask));
  const deletes = seen.possible && seen.deletes === true;
  if (deletes && call.yes !== true) await confirm(seen.effect);
  // What was agreed to is done only to what was seen.
  const acted = await act(tools, deletes ? { ...ask, seen: seen.seen } : ask);
  if (acted.action.state === 'refused') throw new CommandFailure(1, acted.message);
  return acted;
}

/** Asks a person at a terminal whether data may be deleted; a program agrees by `--yes`. */
async function confirm(effect: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CommandFailure(2, `${effect} Nothing was done: say --yes to have it done`);
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${effect} Go on? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure(1, 'nothing was done');
}

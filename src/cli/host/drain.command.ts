import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';

import type { ActionDocument } from '../../features/actions/action.port.ts';
import { ACTIONS, type HostActionKind } from '../../features/actions/action-table.pure.ts';
import type { Drain } from '../../host/drain.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import type { Store } from '../../ports/store.ts';
import { askOf, toolsOf } from '../act/act-by-command.ts';
import { verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { hours } from '../framework/spans.ts';
import {
  settingsAndEmbedded,
  settingsWithDatabase,
  withStore,
} from '../framework/with-database.ts';

/** How long another host may take to carry it out before this command ends. */
const ANSWER_SECONDS = 15;
const POLL_SECONDS = 0.3;

interface Options {
  host?: string;
  reason?: string;
  hours?: number;
}

/** `bootstrax drain`: a host claims no new run, also after a restart. */
export function addDrain(program: Command): void {
  addHostVerb(program, 'drain', (command) =>
    command.option('--hours <number>', 'it ends by itself after this number of hours', hours),
  );
}

/** `bootstrax undrain`: ends `drain`, and a `handback` that still waits. */
export function addUndrain(program: Command): void {
  addHostVerb(program, 'undrain');
}

function addHostVerb(
  program: Command,
  kind: HostActionKind,
  takes?: (command: Command) => void,
): void {
  verb(program, {
    name: kind,
    about: ACTIONS[kind].about,
    takes: (command) => {
      command
        .option('--host <name>', 'on this host, wherever it is; otherwise on this one')
        .option('--reason <text>', 'for those who read status and hosts');
      takes?.(command);
    },
    json: 'one object: {ok, message, runs, action, state}',
    act: (command, options: Options) => actOnHost(kind, options, command),
  });
}

/** What the host says. */
interface HostAnswer {
  ok: boolean;
  message: string;
  runs?: unknown;
}

async function actOnHost(kind: HostActionKind, options: Options, command: Command) {
  // The same word as the setting of this host's name: given by hand it means any host.
  const { host } = options;
  const loaded = await settingsAndEmbedded(command);
  if (host === undefined) return answerOf(...(await actHere(kind, options, loaded)));
  const { action, message } = await withStore(await settingsWithDatabase(command), (store) =>
    actElsewhere({ kind, host, options, settings: loaded.settings }, store),
  );
  return answerOf({ ok: action.state !== 'refused', message, runs: [] }, action);
}

function answerOf({ ok, message, runs = [] }: HostAnswer, action: ActionDocument | null) {
  return { ok, message, runs, action: action?.id ?? null, state: action?.state ?? null };
}

interface HostAsk {
  kind: HostActionKind;
  host: string;
  options: Options;
  settings: Loaded['settings'];
}

/** The host finds it in the database. */
async function actElsewhere(
  { kind, host, options, settings }: HostAsk,
  store: Store,
): Promise<{ action: ActionDocument; message: string }> {
  const { act } = await import('../../features/actions/act.ts');
  const { reason, hours: forHours } = options;
  const words = reason === undefined ? [] : [reason];
  const requested = await act(
    toolsOf(store, settings),
    askOf({ kind, target: { kind: 'host', host }, words, hours: forHours }),
  );
  let { action } = requested;
  for (let waited = 0; isOpen(action) && waited < ANSWER_SECONDS; waited += POLL_SECONDS) {
    await delay(POLL_SECONDS * 1000);
    action = (await store.actions.get(action.id)) ?? action;
  }
  if (!isOpen(action)) return { action, message: action.message ?? requested.message };
  const message = `It is requested, and ${host} has not carried it out yet: bootstrax actions --host ${host}`;
  return { action, message };
}

/** On this machine the request goes directly to the manager, which works without a database too. */
async function actHere(
  kind: HostActionKind,
  { reason, hours: asked }: Options,
  loaded: Loaded,
): Promise<[HostAnswer, ActionDocument | null]> {
  const { settings } = loaded;
  const words = reason === undefined ? [] : [reason];
  const ask = askOf({
    ...{ kind, words, hours: asked },
    target: { kind: 'host', host: settings.host.name } as const,
  });
  const by = `drained by ${ask.by}`;
  const text = reason === undefined ? by : `${by}: ${reason}`;
  const carryOut = (id: string | null, expires: Date | null) =>
    HERE[kind](loaded, { reason: text, expires, action: id });
  const withoutAudit = (why: string): Promise<HostAnswer> => {
    process.stderr.write(`bootstrax: this is not in the audit of actions: ${why}\n`);
    if (asked !== undefined) {
      throw new CommandFailure(1, `--hours needs the clock of the database: ${why}`);
    }
    return carryOut(null, null);
  };
  if (settings.database.url === null) return [await carryOut(null, null), null];
  return withStore(loaded, async (store): Promise<[HostAnswer, ActionDocument | null]> => {
    const { actByOneself } = await import('../../features/actions/act.ts');
    let answer: HostAnswer | null = null;
    try {
      const acted = await actByOneself(toolsOf(store, settings), ask, async (id, expires) => {
        answer = await carryOut(id, expires);
        return answer;
      });
      return [answer ?? { ok: false, message: acted.message }, acted.action];
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return [answer ?? (await withoutAudit(error.message)), null];
    }
  });
}

/** What each does on this machine. */
const HERE: Readonly<
  Record<HostActionKind, (loaded: Loaded, drain: Drain) => Promise<HostAnswer>>
> = { drain: drainHere, undrain: undrainHere };

async function drainHere({ settings }: Loaded, drain: Drain): Promise<HostAnswer> {
  const { reason, expires, action } = drain;
  const answer = await askManagerOf(settings, {
    ...{ type: 'drain', reason },
    ...(expires === null ? {} : { expires: expires.toISOString() }),
    ...(action === null ? {} : { action }),
  });
  if (answer !== 'no manager') return answer;
  const { drainsOnDisk } = await import('../../host/drain.ts');
  await mkdir(settings.paths.stateDir, { recursive: true });
  await drainsOnDisk(settings.paths.stateDir).keep(drain);
  return { ok: true, message: `${withoutManager(settings)}; once started, it takes no run` };
}

async function undrainHere({ settings }: Loaded): Promise<HostAnswer> {
  const answer = await askManagerOf(settings, { type: 'undrain' });
  if (answer !== 'no manager') return answer;
  const { drainsOnDisk } = await import('../../host/drain.ts');
  await drainsOnDisk(settings.paths.stateDir).end();
  return { ok: true, message: `${withoutManager(settings)}; once started, it takes runs` };
}

function withoutManager({ host }: Loaded['settings']): string {
  return `no manager runs for ${host.name}`;
}

function isOpen({ state }: ActionDocument): boolean {
  return state === 'requested' || state === 'seen';
}

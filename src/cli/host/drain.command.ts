import type { Command } from 'commander';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Loaded } from '../../infra/config/load-config.ts';
import type { HostActionKind } from '../../features/actions/host-effects.pure.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import type { ActionDocument } from '../../features/actions/action.port.ts';
import type { Store } from '../../ports/store.ts';
import { askOf, toolsOf } from '../act/act-by-command.ts';
import {
  settingsAndEmbedded,
  settingsWithDatabase,
  withStore,
} from '../framework/with-database.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { hours } from '../framework/spans.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { print, printJson } from '../framework/output.ts';

const JSON_HELP = 'one object: {ok, message, runs, action, state}';
/** How long another host may take to carry it out before this command ends, seconds. */
const ANSWER_SECONDS = 15;
const LOOK_SECONDS = 0.3;

interface Options {
  host?: string;
  reason?: string;
  hours?: number;
  json?: boolean;
}

/** `bootstrax drain`: a host takes no new run, also after a restart. */
export function addDrain(program: Command): void {
  program
    .command('drain')
    .description('take no new run on a host until undrain; what is in work goes on')
    .option('--host <name>', 'on this host, wherever it is; otherwise on this one')
    .option('--reason <text>', 'for those who look at status and hosts')
    .option('--hours <number>', 'it ends by itself after so many hours', hours)
    .option('--json', JSON_HELP)
    .action((options: Options, command: Command) => act('drain', options, command));
}

/** `bootstrax undrain`: ends `drain`, and a `handback` that still waits. */
export function addUndrain(program: Command): void {
  program
    .command('undrain')
    .description('take runs on a host again')
    .option('--host <name>', 'on this host, wherever it is; otherwise on this one')
    .option('--reason <text>', 'for those who read it later')
    .option('--json', JSON_HELP)
    .action((options: Options, command: Command) => act('undrain', options, command));
}

/** What the host says. */
interface Told {
  ok: boolean;
  message: string;
  runs?: unknown;
}

async function act(kind: HostActionKind, options: Options, command: Command): Promise<void> {
  // The same word as the setting of this host's name: given by hand it means any host.
  const { host } = command.optsWithGlobals<Options>();
  const loaded = await settingsAndEmbedded(command);
  if (host === undefined) {
    return tell(...(await actHere(kind, options, loaded)), options);
  }
  const { action, message } = await withStore(await settingsWithDatabase(command), (store) =>
    actElsewhere(kind, host, options, store, loaded),
  );
  tell({ ok: action.state !== 'refused', message, runs: [] }, action, options);
}

/** The host finds it in the database. */
async function actElsewhere(
  kind: HostActionKind,
  host: string,
  { reason, hours }: Options,
  store: Store,
  { settings }: Loaded,
): Promise<{ action: ActionDocument; message: string }> {
  const { act } = await import('../../features/actions/act.ts');
  const words = reason === undefined ? [] : [reason];
  const asked = await act(
    toolsOf(store, settings),
    askOf({ kind, target: { kind: 'host', host }, words, hours }),
  );
  let { action } = asked;
  for (let waited = 0; isOpen(action) && waited < ANSWER_SECONDS; waited += LOOK_SECONDS) {
    await delay(LOOK_SECONDS * 1000);
    action = (await store.actions.get(action.id)) ?? action;
  }
  if (!isOpen(action)) return { action, message: action.message ?? asked.message };
  const message = `${host} is asked, and has not carried it out yet: bootstrax actions --host ${host}`;
  return { action, message };
}

/** On this machine the manager is asked directly: that works without a database too. */
async function actHere(
  kind: HostActionKind,
  { reason, hours }: Options,
  loaded: Loaded,
): Promise<[Told, ActionDocument | null]> {
  const { settings } = loaded;
  const words = reason === undefined ? [] : [reason];
  const ask = askOf({
    ...{ kind, words, hours },
    target: { kind: 'host', host: settings.host.name } as const,
  });
  const by = `drained by ${ask.by}`;
  const text = reason === undefined ? by : `${by}: ${reason}`;
  const carryOut = (id: string | null, expires: Date | null) =>
    kind === 'drain'
      ? drainHere(loaded, { reason: text, expires, action: id })
      : undrainHere(loaded);
  const withoutAudit = (why: string): Promise<Told> => {
    process.stderr.write(`bootstrax: this is not in the audit of actions: ${why}\n`);
    if (hours !== undefined) {
      throw new CommandFailure(1, `--hours needs the clock of the database: ${why}`);
    }
    return carryOut(null, null);
  };
  if (settings.database.url === null) return [await carryOut(null, null), null];
  return withStore(loaded, async (store): Promise<[Told, ActionDocument | null]> => {
    const { actByOneself } = await import('../../features/actions/act.ts');
    let told: Told | null = null;
    try {
      const acted = await actByOneself(toolsOf(store, settings), ask, async (id, expires) => {
        told = await carryOut(id, expires);
        return told;
      });
      return [told ?? { ok: false, message: acted.message }, acted.action];
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return [told ?? (await withoutAudit(error.message)), null];
    }
  });
}

async function drainHere(
  { settings }: Loaded,
  drain: { reason: string; expires: Date | null; action: string | null },
): Promise<Told> {
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

async function undrainHere({ settings }: Loaded): Promise<Told> {
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

function tell(told: Told, action: ActionDocument | null, { json }: { json?: boolean }): void {
  const { ok, message, runs = [] } = told;
  const about = { action: action?.id ?? null, state: action?.state ?? null };
  if (json) printJson({ ok, message, runs, ...about });
  else print(message);
  if (!ok) process.exitCode = 1;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import pino from 'pino';

import type { ControlRequest, ControlResponse } from '../../exclusion/manager-lock.ts';
import type { Loaded } from '../../infra/config/load-config.ts';
import { RENAMED_EVENT_HOOKS } from '../../infra/renamed/renamed-events.ts';
import type { HandBack } from '../../manager/drain/handback.ts';
import { readRun } from '../../run/run.pure.ts';
import { seenOf } from '../../run/stored-runs.ts';
import { type Done, verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { addFormerName } from '../framework/former-names.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { settingsWithDatabase, withStore } from '../framework/with-database.ts';

/** A manager that is awaited is asked for its status at this interval. */
const STATUS_SECONDS = 1;

/** A run that this host was processing when it was handed back, as its document is afterwards. */
interface RunLeft {
  run: number;
  state: string | null;
  /** For a failed one: when it is due again, ISO 8601. */
  nextRetry: string | null;
}

interface Options {
  stopChildren?: boolean;
}

interface Report extends Done {
  runs: RunLeft[];
  /** Numbers of runs that are still held in this host's name. */
  held: unknown[];
}

/** `bootstrax handback`: leaves this host to straxen's bootstrax.py. */
export function addHandback(program: Command): void {
  const handback = verb(program, {
    name: 'handback',
    about: "leave this host to straxen's bootstrax.py: no new run, and the manager ends",
    takes: (command) => {
      command.option(
        '--stop-children',
        'stop the present attempts instead of waiting for them: back to the queue, not counted',
      );
      addFormerName(command, '--end-children', '--stop-children');
    },
    json: 'one object: {ok, message, runs: [{run, state, nextRetry}], held: [run]}',
    act: async (command, options: Options) => {
      const loaded = await settingsWithDatabase(command);
      const handBack = { endChildren: options.stopChildren ?? false };
      const runs = await throughManager(loaded, handBack);
      return reportOn(loaded, runs ?? (await directly(loaded, handBack)));
    },
    draw: inWords,
  });
  // At once: an answer that is still awaited somewhere must not keep an ended command alive.
  handback.hook('postAction', () => process.exit(process.exitCode ?? 0));
}

/** Runs that were in the manager's hands, once it has ended; null if there is no manager. */
async function throughManager(loaded: Loaded, handBack: HandBack): Promise<number[] | null> {
  const { settings } = loaded;
  const answer = await askManagerOf(settings, { type: 'hand_back', ...handBack });
  if (answer === 'no manager') return null;
  if (!answer.ok) throw new CommandFailure(1, answer.message);
  say(answer.message);
  const runs = runsIn(answer);
  for (;;) {
    await delay(STATUS_SECONDS * 1000);
    const status = await statusOf(loaded, { type: 'status' });
    if (status === 'no manager') return runs;
    if (status !== null && status['handingBack'] !== true) {
      throw new CommandFailure(
        1,
        'the manager that runs now does not hand the host back: it was started anew, or ' +
          'somebody said undrain. Keep others from starting it, and try again',
      );
    }
  }
}

/** Null if there was no answer this time: it may be at its end, or waiting for a disk. */
async function statusOf(
  { settings }: Loaded,
  request: ControlRequest,
): Promise<ControlResponse | 'no manager' | null> {
  try {
    return await askManagerOf(settings, request);
  } catch {
    return null;
  }
}

/** Does what a manager would, without claiming runs; returns those that this host was processing. */
async function directly(loaded: Loaded, handBack: HandBack): Promise<number[]> {
  const { settings } = loaded;
  const runs = await withStore(loaded, async (store) => {
    const own = await store.runs.ownRuns(settings.host.name);
    return own.flatMap((document) => readRun(document).number ?? []);
  });
  const going = runs.length === 0 ? '' : `; run ${runs.join(', ')} is seen to first`;
  say(`no manager runs here: the host is handed back directly${going}`);
  const { runManager } = await import('../../manager/manager.ts');
  const { HANDED_BACK } = await import('../../manager/drain/handback.ts');
  // Standard output is for the answer.
  const logger = pino(
    {
      ...{ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
      hooks: RENAMED_EVENT_HOOKS,
    },
    pino.destination({ dest: 2, sync: true }),
  );
  if ((await runManager({ settings, logger, handBack })) === HANDED_BACK) return runs;
  throw new CommandFailure(1, 'it was ended before the host was handed back: try again');
}

async function reportOn(loaded: Loaded, numbers: readonly number[]): Promise<Report> {
  const { name } = loaded.settings.host;
  return withStore(loaded, async (store) => {
    const runs: RunLeft[] = [];
    for (const run of numbers) {
      for (const document of await store.runs.byNumber(run)) {
        const { bootstrax, stateText } = readRun(document);
        const due = bootstrax.state === 'failed' ? bootstrax.nextRetry : null;
        runs.push({ run, state: stateText, nextRetry: due?.toISOString() ?? null });
      }
    }
    // Only what another program has claimed in this host's name can be left.
    const held = (await store.runs.ownRuns(name)).map((each) => seenOf(each).number);
    const ok = held.length === 0;
    const message = ok
      ? `${name} is handed back: straxen's bootstrax.py may be started here`
      : `run ${held.join(', ')} is still held in the name of ${name}, by a manager that was started ` +
        `meanwhile or by another program: see 'bootstrax explain', and try again`;
    return { ok, message, runs, held };
  });
}

function inWords({ message, runs }: Report): string {
  const lines = runs.map(
    ({ run, state, nextRetry }) =>
      `run ${run}: ${state ?? 'new'}${nextRetry === null ? '' : `, due again at ${nextRetry}`}`,
  );
  return [...lines, message].join('\n');
}

function runsIn({ runs }: ControlResponse): number[] {
  return Array.isArray(runs) ? runs.filter((run) => typeof run === 'number') : [];
}

/** On standard error: standard output is for the answer. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

import type { Command } from 'commander';
import { userInfo } from 'node:os';
import type { BootstraxFields } from '../domain/run.ts';
import type { Database } from './database.ts';
import { withDatabase } from './database.ts';
import { CommandFailure } from './failure.ts';
import { findRun, type FoundRun } from './find-run.ts';
import { print, printJson } from './output.ts';
import { runNumber } from './run-number.ts';

const JSON_HELP = 'one object: {run, ok, message}';

interface Options {
  json?: boolean;
}

/** `bootstrax fail N [REASON]`: a counted failure; the run is tried again. */
export function addFail(program: Command): void {
  program
    .command('fail')
    .description('make this run fail: a running attempt is ended, the run is tried again')
    .argument('<run>', 'run number', runNumber)
    .argument('[reason...]', 'for those who read the run document')
    .option('--json', JSON_HELP)
    .action((run: number, words: string[], options: Options, command: Command) =>
      act(run, options, command, (database, found) => fail(run, words, database, found)),
    );
}

/** `bootstrax abandon N [REASON]`: never touched again. */
export function addAbandon(program: Command): void {
  program
    .command('abandon')
    .description(
      'give this run up for good: a running attempt is ended, others may delete its data',
    )
    .argument('<run>', 'run number', runNumber)
    .argument('[reason...]', 'for those who read the run document')
    .option('--json', JSON_HELP)
    .action((run: number, words: string[], options: Options, command: Command) =>
      act(run, options, command, (database, found) => abandon(run, words, database, found)),
    );
}

/** `bootstrax retry N`: due now. */
export function addRetry(program: Command): void {
  program
    .command('retry')
    .description('try this failed run again now, whatever it waits for')
    .argument('<run>', 'run number', runNumber)
    .option('--from-start', 'forget its failures: all targets, ten tries')
    .option('--json', JSON_HELP)
    .action((run: number, options: Options & { fromStart?: boolean }, command: Command) =>
      act(run, options, command, (database, found) =>
        retry(run, options.fromStart ?? false, database, found),
      ),
    );
}

/** `bootstrax hold N`: tagged, so that nobody takes it. */
export function addHold(program: Command): void {
  program
    .command('hold')
    .description('keep this run from being taken until it is released')
    .argument('<run>', 'run number', runNumber)
    .option('--json', JSON_HELP)
    .action((run: number, options: Options, command: Command) =>
      act(run, options, command, async ({ store, settings }, { document }) => {
        await store.runs.hold(
          (await import('../store/runs.ts')).seenOf(document),
          userInfo().username,
        );
        return `Run ${run} is held: it carries the tag ${settings.rules.claim.holdTag}.`;
      }),
    );
}

/** `bootstrax release N`: ends `hold`. */
export function addRelease(program: Command): void {
  program
    .command('release')
    .description('let a held run be taken')
    .argument('<run>', 'run number', runNumber)
    .option('--json', JSON_HELP)
    .action((run: number, options: Options, command: Command) =>
      act(run, options, command, async ({ store }, { document }) => {
        await store.runs.release((await import('../store/runs.ts')).seenOf(document));
        return `Run ${run} is not held.`;
      }),
    );
}

async function act(
  run: number,
  { json }: Options,
  command: Command,
  work: (database: Database, found: FoundRun) => Promise<string>,
): Promise<void> {
  const message = await withDatabase(command, async (database) =>
    work(database, await findRun(database.store, run)),
  );
  if (json) printJson({ run, ok: true, message });
  else print(message);
}

async function fail(
  run: number,
  words: string[],
  { store, settings }: Database,
  found: FoundRun,
): Promise<string> {
  const { failures } = fieldsOf(found);
  const { countedFailure } = await import('../domain/retry.ts');
  const conclusion = countedFailure(failures, Math.random(), settings.rules.retry);
  const host = settings.host.name;
  const reason = `${host}:\nfailed by ${userInfo().username}: ${words.join(' ') || 'no reason given'}\n`;
  const { delaySeconds } = conclusion;
  await settle(
    run,
    { store, host, found },
    delaySeconds === null
      ? { kind: 'given_up', reason, failures: conclusion.failures }
      : { kind: 'failed', reason, failures: conclusion.failures, delaySeconds },
  );
  const first = failures === 0;
  await tell(store, host, run, {
    priority: delaySeconds === null ? 'fatal' : first ? 'warning' : 'info',
    message: `${first ? 'New' : 'Repeated'} failure on run ${run}: failed by ${userInfo().username}: ${words.join(' ') || 'no reason given'}`,
  });
  if (delaySeconds === null) {
    return `Run ${run} has failed ${conclusion.failures} times and is given up; bootstrax retry ${run} --from-start begins anew.`;
  }
  return `Run ${run} has failed (${conclusion.failures}); it is tried again in ${Math.round(delaySeconds)} s.`;
}

async function abandon(
  run: number,
  words: string[],
  { store, settings }: Database,
  found: FoundRun,
): Promise<string> {
  const host = settings.host.name;
  const text = words.join(' ');
  const reason = text === '' ? null : `${host}:\nabandoned by ${userInfo().username}: ${text}\n`;
  await settle(run, { store, host, found }, { kind: 'abandoned', reason });
  await tell(store, host, run, {
    priority: 'warning',
    message: `run ${run} is abandoned by ${userInfo().username}${text === '' ? '' : `: ${text}`}`,
  });
  return `Run ${run} is abandoned.`;
}

async function retry(
  run: number,
  fromStart: boolean,
  { store, settings }: Database,
  found: FoundRun,
): Promise<string> {
  const { state, failures } = fieldsOf(found);
  if (state === 'considering' || state === 'busy') {
    throw new CommandFailure(
      1,
      `run ${run} is being processed (${state}): bootstrax fail ${run} ends that first`,
    );
  }
  if (state === null) throw new CommandFailure(1, `run ${run} is new: it needs no retry`);
  const { maxFailures } = settings.rules.retry;
  if (!fromStart && failures >= maxFailures) {
    throw new CommandFailure(
      1,
      `run ${run} has failed ${failures} times, and is given up at ${maxFailures}: use --from-start`,
    );
  }
  const { seenOf } = await import('../store/runs.ts');
  const kept = fromStart ? 0 : failures;
  const landed = await store.runs.retry(seenOf(found.document), settings.host.name, kept);
  if (landed === 'changed') throw changed(run);
  return `Run ${run} is due now; it counts ${kept} failed attempts.`;
}

async function settle(
  run: number,
  { store, host, found }: { store: Database['store']; host: string; found: FoundRun },
  conclusion: Parameters<Database['store']['runs']['settle']>[2],
): Promise<void> {
  const { seenOf } = await import('../store/runs.ts');
  const landed = await store.runs.settle(seenOf(found.document), host, conclusion);
  if (landed === 'changed') throw changed(run);
}

/** For those who watch the DAQ's log; what has been done is done, whether it takes that or not. */
async function tell(
  store: Database['store'],
  host: string,
  run: number,
  entry: Pick<Parameters<Database['store']['daqLog']['write']>[0], 'priority' | 'message'>,
): Promise<void> {
  const { StoreError } = await import('../store/errors.ts');
  try {
    await store.daqLog.write({ ...entry, host, run });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    process.stderr.write(`bootstrax: the DAQ's log was not told: ${error.message}\n`);
  }
}

function changed(run: number): CommandFailure {
  return new CommandFailure(
    1,
    `run ${run} was changed by somebody else at the same moment; nothing was written, look again`,
  );
}

function fieldsOf({ parsed }: FoundRun): BootstraxFields {
  return parsed.kind === 'run' ? parsed.run.bootstrax : parsed.malformed.bootstrax;
}

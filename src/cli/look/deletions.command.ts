import type { Command } from 'commander';

import type { DeletionDocument } from '../../features/deletion/deletion.port.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { Store } from '../../ports/store.ts';
import { readRun } from '../../run/run.pure.ts';
import { query, verb } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { findRun } from '../framework/find-run.ts';
import { bytes, table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';
import { days } from '../framework/spans.ts';
import { withDatabase } from '../framework/with-database.ts';

const HOURS_PER_DAY = 24;
const MOST_DELETIONS = 500;

interface Options {
  unfinished?: boolean;
  days: number;
}

/** `bootstrax deletions [N]`: what became of live data; `deletions retry N`. */
export function addDeletions(program: Command): void {
  const deletions = query(program, {
    name: 'deletions',
    about: 'live data that was deleted or is to be: what stood in for it, or why it stays',
    takes: (command) =>
      command
        .argument('[run]', 'only of this run', runNumber)
        .option('--unfinished', 'only those that have not ended')
        .option('--days <number>', 'without a run: requested within this number of days', days, 7),
    json: 'one object: {deletions}',
    read: async ({ store }, options: Options, run: number | undefined) => ({
      isOfOneRun: run !== undefined,
      deletions: await listed(store, run, options),
    }),
    shape: ({ deletions: found }) => ({ deletions: found }),
    draw: ({ isOfOneRun, deletions: found }) => {
      if (found.length === 0) return 'No such deletions.';
      return isOfOneRun ? found.map(drawOne).join('\n\n') : drawAll(found);
    },
  });
  verb(deletions, {
    name: 'retry',
    about: 'have the live data of a done run checked again, and deleted if it may be',
    takes: (command) => command.argument('<run>', 'run number', runNumber),
    json: 'one object: {run, ok, message}',
    act: (command, _options, run: number) =>
      withDatabase(command, async ({ store }) => ({
        ...{ run, ok: true, message: await retry(store, run) },
      })),
  });
}

async function listed(
  store: Store,
  run: number | undefined,
  { unfinished, days: ofDays }: Options,
): Promise<DeletionDocument[]> {
  if (run !== undefined) {
    const all = await store.deletions.ofRun(run);
    return unfinished ? all.filter(isUnfinished) : all;
  }
  if (unfinished) return store.deletions.unfinished(null);
  const now = await store.serverTime();
  const since = new Date(now.getTime() - ofDays * HOURS_PER_DAY * 3_600_000);
  return store.deletions.since(since, MOST_DELETIONS);
}

async function retry(store: Store, run: number): Promise<string> {
  const { document, parsed } = await findRun(store, run);
  const { lastAttempt: attempt } = readRun(document).own;
  const { state, host } = parsed.kind === 'run' ? parsed.run.bootstrax : parsed.malformed.bootstrax;
  if (state !== 'done' || host === null || attempt === null) {
    throw new CommandFailure(
      1,
      `run ${run} is not done by an attempt of ours: its live data stays`,
    );
  }
  const record = await store.deletions.get(attempt);
  if (record?.state === 'done') {
    throw new CommandFailure(1, `the live data of run ${run} was deleted before`);
  }
  if (record !== null && isUnfinished(record)) {
    return `The live data of run ${run} is being checked by ${host} already${record.problem === null ? '' : `: ${record.problem}`}.`;
  }
  await store.deletions.request({ attempt, run, host }, { again: true });
  return `${host} checks the live data of run ${run} again, if its manager deletes live data (deletion.live_data).`;
}

function isUnfinished({ state }: DeletionDocument): boolean {
  return state === 'checking' || state === 'deleting';
}

function drawAll(found: readonly DeletionDocument[]): string {
  return table(
    ['run', 'host', 'state', 'requested (UTC)', 'ended (UTC)', 'freed', 'why'],
    found.map(({ run, host, state, begun, ended, bytesFreed, cause, problem }) => [
      String(run),
      host,
      state,
      utcToTheSecond(begun),
      ended === null ? '' : utcToTheSecond(ended),
      bytesFreed === null ? '' : bytes(bytesFreed),
      (cause ?? problem ?? '').slice(0, 100),
    ]),
  );
}

function drawOne(deletion: DeletionDocument): string {
  const { run, host, attempt, state, cause, problem, folder, checked, how } = deletion;
  const why = cause ?? problem;
  return [
    `run ${run}, ${host}, attempt ${attempt}: ${state}${why === null ? '' : `: ${why}`}`,
    ...(folder === null ? [] : [`folder: ${folder}`]),
    ...(deletion.bytes === null
      ? []
      : [`live data: ${bytes(deletion.bytes)} in ${counted(deletion.files ?? 0, 'file')}`]),
    ...(checked === null
      ? []
      : [`vouched for by these, checked ${utcToTheSecond(checked)} (${how ?? ''}):`]),
    ...deletion.vouchedBy.map(
      ({ type, location, chunks, rows, bytes: size }) =>
        `  ${type}: ${counted(rows, 'row')} in ${counted(chunks, 'chunk')}, ${bytes(size)}: ${location}`,
    ),
  ].join('\n');
}

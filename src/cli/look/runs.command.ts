import { type Command, Option } from 'commander';

import type { Store } from '../../ports/store.ts';
import type { RunListQuery } from '../../run/run.port.ts';
import { RUN_STATES, type RunState } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { type RunView, runView } from '../../run/run-view.pure.ts';
import { numbered } from '../../run/same-number.store.ts';
import { query } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { addFormerName } from '../framework/former-names.ts';
import { drawMalformed, type MalformedView, malformedViews } from '../framework/malformed-runs.ts';
import { duration, style, table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';

interface Options {
  state?: RunState | 'new';
  mode?: string;
  from?: number;
  to?: number;
  before?: number;
  limit: string;
  malformed?: boolean;
}

/** Run numbers that are searched for malformed documents unless a range is given. */
const NUMBERS_READ = 2000;

/** `bootstrax runs`: the newest runs, by number; or those that are malformed. */
export function addRuns(program: Command): void {
  query(program, {
    name: 'runs',
    about: 'the newest runs with their states',
    takes: (command) => {
      command
        .addOption(new Option('--state <state>', 'only these').choices(['new', ...RUN_STATES]))
        .option('--mode <mode>', 'only runs of this run mode')
        .option('--from <run>', 'only this number and above', runNumber)
        .option('--to <run>', 'only this number and below', runNumber)
        .option('--before <run>', 'go on below this number', runNumber)
        .option('--limit <number>', 'at most this number of runs', '20')
        .option(
          '--malformed',
          'documents that cannot be processed or are odd, with the fields that are wrong',
        );
      addFormerName(command, '--readout-mode <mode>', '--mode');
    },
    json: 'one object: {runs, before}; each run with the id of its document and of others with its number; before continues the list',
    read: ({ store }, options: Options): Promise<Listed | Malformed> =>
      options.malformed ? readMalformed(store, options) : readListed(store, options),
    shape: ({ kind: _, ...answer }) => answer,
    draw: (answer) =>
      answer.kind === 'malformed' ? drawMalformed(answer.runs) : drawListed(answer),
  });
}

interface Listed {
  kind: 'listed';
  runs: ListedRun[];
  /** Continues the list; null at its end. */
  before: number | null;
}

interface Malformed {
  kind: 'malformed';
  runs: MalformedView[];
}

async function readListed(store: Store, options: Options): Promise<Listed> {
  const page = await store.runs.list(queryOf(options));
  const now = await store.serverTime();
  const runs = await numberedViews(store, page.runs, now);
  return { kind: 'listed', runs, before: page.before };
}

function drawListed({ runs, before }: Listed): string {
  const more = before === null ? [] : [style('dim', `\nMore: --before ${before}`)];
  return [runs.length === 0 ? 'No such runs.' : drawRuns(runs), ...more].join('\n');
}

/** A run of the list, and what distinguishes it from others with its number. */
export interface ListedRun extends RunView {
  /** Id of its document. */
  document: string;
  /** Ids of other documents with its number. */
  sameNumber: string[];
}

async function numberedViews(
  store: Store,
  documents: readonly RunDocument[],
  now: Date,
): Promise<ListedRun[]> {
  const listed = numbered(documents);
  const numbers = listed.flatMap(({ stored }) => stored.number ?? []);
  const all = numbered(await store.runs.ofNumbers(numbers));
  return listed.map(({ id, stored }) => {
    const { number } = stored;
    const others = all.filter((other) => other.id !== id && other.stored.number === number);
    return {
      ...runView(stored, now),
      document: id,
      sameNumber: number === null ? [] : others.map((other) => other.id),
    };
  });
}

/** Also those that no manager has read; but of runs long concluded only the newest numbers. */
async function readMalformed(store: Store, { from, to }: Options): Promise<Malformed> {
  const suspects = await store.runs.suspects({
    numbers: NUMBERS_READ,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
  return { kind: 'malformed', runs: malformedViews(suspects) };
}

function queryOf({ state, mode, from, to, before, limit }: Options): RunListQuery {
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw new CommandFailure(2, `--limit: "${limit}" is not a number from 1 to 1000`);
  }
  return {
    limit: count,
    ...(state === undefined ? {} : { state: state === 'new' ? null : state }),
    ...(mode === undefined ? {} : { mode }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(before === undefined ? {} : { before }),
  };
}

/** A table of runs. */
export function drawRuns(runs: readonly (RunView & Partial<ListedRun>)[]): string {
  return table(
    ['run', 'mode', 'detectors', 'start', 'length', 'state', 'host', 'failures', 'remark'],
    runs.map((run) => [
      String(run.run ?? '?'),
      run.mode ?? '-',
      run.detectors.join(',') || '-',
      run.start?.slice(0, 19).replace('T', ' ') ?? '-',
      run.seconds === null ? '-' : duration(run.seconds),
      stateOf(run),
      run.host ?? '-',
      String(run.failures),
      remark(run),
    ]),
  );
}

function stateOf({ state, outcome, progress }: RunView): string {
  if (progress?.isStalled === true) return style('yellow', 'stalled');
  const shown =
    state === 'failed' && outcome !== null && outcome !== 'failed'
      ? `failed (${outcome.replace('_', ' ')})`
      : (state ?? 'new');
  switch (state) {
    case 'done':
      return style('green', shown);
    case 'failed':
    case 'abandoned':
      return style('red', shown);
    case 'busy':
    case 'considering':
      return style('yellow', shown);
    default:
      return shown;
  }
}

function remark({
  malformed,
  nextRetry,
  state,
  reason,
  tags,
  document,
  sameNumber = [],
}: RunView & Partial<ListedRun>): string {
  if (sameNumber.length > 0) {
    return `document ${document ?? '?'}; ${sameNumber.join(', ')} has this number as well`;
  }
  const [problem] = malformed;
  if (problem !== undefined) return `${problem.field} ${problem.problem}`;
  if (state !== 'failed') return tags.join(' ');
  // The first line of a reason is the host that wrote it.
  const text = (reason ?? '').split('\n').find((line, i) => i > 0 && line !== '') ?? '';
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return nextRetry === null ? short : `next try ${nextRetry.slice(11, 19)} UTC: ${short}`;
}

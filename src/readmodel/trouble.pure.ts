import { boundedLine } from '../infra/values/bounded.pure.ts';
import { type Advice, adviceFor, type Help, type Trouble } from '../retry/advice.pure.ts';
import type { Cause } from '../retry/causes.pure.ts';
import { LIVE_DATA } from '../run/no-field.pure.ts';
import type { Condition } from './run-condition.pure.ts';
import type { RunRow } from './run-row.pure.ts';

/** Why the last attempt at a run failed, as its history says; null: not known. */
export type LastCause = Pick<Cause, 'class' | 'plugin'> | null;

export type TroubledRun = Pick<
  RunRow,
  'run' | 'id' | 'host' | 'condition' | 'faults' | 'setAsideFor' | 'end'
>;

/** What keeps a run from being done, and what a person can do about it. */
export interface RunAdvice extends Advice {
  trouble: Trouble;
  /** The button that helps, with its target; null: none does. */
  button: { kind: 'retry' | 'reprocess' | 'drain'; host: string | null } | null;
  /** Fields of the document that must be corrected, with what is wanted in each. */
  fields: FieldAdvice[];
}

/** A field of the run document that is wrong. */
export interface FieldAdvice {
  field: string;
  problem: string;
  /** What stands there, as JSON; null: not read. */
  found: string | null;
  wanted: string | null;
}

const TROUBLED: readonly Condition[] = [
  ...(['retrying', 'requeued', 'given_up', 'set_aside', 'debt'] as const),
];

/** The trouble of a run; null while all goes its way. `cause`: of its last failure. */
export function troubleOf(run: TroubledRun, cause: LastCause): Trouble | null {
  if (!TROUBLED.includes(run.condition)) return null;
  if (run.condition === 'set_aside') return whySetAside(run, cause);
  if (cause === null) return run.condition === 'given_up' ? 'unknown' : null;
  return cause.class === 'input_not_ready' && run.end === null ? 'end_not_written' : cause.class;
}

function whySetAside({ setAsideFor, faults }: TroubledRun, cause: LastCause): Trouble {
  if (setAsideFor.length > 0) return 'same_number';
  const fields = faults.map(({ field }) => field);
  if (fields.some((field) => field !== LIVE_DATA && field !== CONFIGURATION)) return 'document';
  if (fields.includes(LIVE_DATA)) return 'live_data';
  if (fields.includes(CONFIGURATION)) return 'configuration';
  return cause?.class ?? 'document';
}

/** Stands for a field where the configuration of the hosts is at fault. */
const CONFIGURATION = '(configuration)';

/** The advice for a run; null while it needs none. */
export function runAdvice(run: TroubledRun, cause: LastCause): RunAdvice | null {
  const trouble = troubleOf(run, cause);
  if (trouble === null) return null;
  const advice = adviceFor(trouble, cause?.plugin ?? null);
  return {
    ...advice,
    trouble,
    button: buttonOf(advice.press, run),
    fields:
      trouble === 'document'
        ? run.faults.map(({ field, problem }) => ({
            ...{ field, problem, found: null, wanted: wantedIn(field) },
          }))
        : [],
  };
}

/** What is tried again by itself needs no button. */
function buttonOf(press: Help | null, { condition, host }: TroubledRun): RunAdvice['button'] {
  const isStuck = condition === 'given_up' || condition === 'set_aside';
  if (press === null || !isStuck) return null;
  if (press === 'drain') return host === null ? null : { kind: 'drain', host };
  return { kind: condition === 'given_up' ? 'reprocess' : 'retry', host: null };
}

/** What belongs into a field; the first pattern that fits its path decides. */
const WANTED: readonly (readonly [RegExp, string])[] = [
  [/^number$/, 'a whole number of at least 0'],
  [/^start$/, 'a date'],
  [/^end$/, 'a date after the start'],
  [/^mode$/, 'the name of a run mode'],
  [/^detectors$/, 'a list of names of detectors'],
  [/^data$/, 'a list with one element of type “live” and its location'],
  [/^data\.\d+\.location$/, 'the path of a folder'],
  [/^data\./, 'an object with type, host and location'],
  [/^daq_config$/, 'the settings of the DAQ, an object'],
  [/^daq_config\.processing_threads$/, 'the number of threads of each reader'],
  [/^daq_config\.processing_threads\./, 'a whole number of at least 1'],
  [/^daq_config\.compressor$/, 'the name of a compressor that strax knows'],
  [/^daq_config\.strax_chunk_/, 'a number of seconds'],
  [/^daq_config\.strax_fragment_payload_bytes$/, 'an even whole number of bytes'],
  [/^rate(\.|$)/, 'average and maximal rate by detector'],
  [/^bootstrax\.state$/, 'one of the states, or nothing'],
  [/^bootstrax(\.|$)/, 'what bootstrax itself has written'],
];

/** What belongs into a field of the run document; null: it is not known. */
export function wantedIn(field: string): string | null {
  return WANTED.find(([pattern]) => pattern.test(field))?.[1] ?? null;
}

const LONGEST_FOUND = 80;

/** The same with what stands in each field of the document. */
export function withFound(advice: RunAdvice | null, document: object): RunAdvice | null {
  if (advice === null) return null;
  const fields = advice.fields.map((each) => ({ ...each, found: foundIn(document, each.field) }));
  return { ...advice, fields };
}

function foundIn(document: object, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>(
      (at, name) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined,
      document,
    );
  return value === undefined ? 'nothing' : boundedLine(JSON.stringify(value), LONGEST_FOUND);
}

import type { SlotsNow } from '../claim/slots.pure.ts';
import { namedInWords } from '../host/host-document.pure.ts';
import { boundedLine } from '../infra/values/bounded.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { adviceFor, adviceText } from '../retry/advice.pure.ts';
import { ABANDON_TAG } from '../run/run-tags.pure.ts';
import { stallText } from '../run/stall.pure.ts';
import type { AttentionLimits, Trouble } from './attention-item.pure.ts';
import type { RunRow } from './run-row.pure.ts';
import { type TakenTogether, takenTogether } from './taken-together.pure.ts';
import { type LastCause, runAdvice } from './trouble.pure.ts';

/**
 * `notHandedOn`: why a done run has no status that hands it on, where it should have one. `lastCause`:
 * of its last failure.
 */
export type RunToLookAt = RunRow & { notHandedOn?: string | null; lastCause?: LastCause };

/** What the rules are asked with, beside the run. */
export interface Reading {
  limits: AttentionLimits;
  now: Date;
  places: SlotsNow;
}

/** Characters. */
const LONGEST_DETAIL = 500;

/** What is wrong with one run. `changed`: its last heartbeat. */
export function runTroubles(run: RunToLookAt, changed: Date | null, reading: Reading): Trouble[] {
  return ofCondition(run, changed, reading).map((trouble) => ({
    ...trouble,
    occurrence: run.seen,
  }));
}

type OfRun = Omit<Trouble, 'occurrence'>[];

function ofCondition(run: RunToLookAt, changed: Date | null, reading: Reading): OfRun {
  const since = changed?.toISOString() ?? null;
  switch (run.condition) {
    case 'given_up':
    case 'set_aside':
      return ofStuck(run, since);
    case 'retrying':
    case 'requeued':
      return ofRetry(run, reading);
    case 'considering':
    case 'busy':
    case 'stalled':
      return ofWork(run, changed, reading);
    case 'done':
    case 'debt':
      return [...ofProducts(run, since), ...ofData(run, since)];
    default:
      return [];
  }
}

function nameOf({ run }: RunRow): string {
  return `Run ${run ?? 'without a number'}`;
}

function aboutOf({ run, host }: RunRow): { run: number | null; host: string | null } {
  return { run, host };
}

/** A run that no host tries again by itself. */
function ofStuck(run: RunToLookAt, since: string | null): OfRun {
  if (run.condition === 'set_aside' && run.setAsideFor.length > 0) return ofNumber(run, since);
  const advice = runAdvice(run, run.lastCause ?? null);
  if (advice === null) return [];
  const isGivenUp = run.condition === 'given_up';
  const stands = isGivenUp ? `given up after ${counted(run.failures, 'failure')}` : `set aside`;
  const fields = advice.fields.map(({ field }) => field);
  const cause = fields.length === 0 ? advice.says : `correct ${namedInWords(fields)}`;
  return [
    {
      ...{ ...aboutOf(run), kind: isGivenUp ? 'given_up' : 'set_aside', since, advice },
      what: `${nameOf(run)} is ${stands}: ${cause}`,
      cause,
      detail: run.why === null ? null : boundedLine(run.why, LONGEST_DETAIL),
      todo: adviceText(advice, { name: String(run.run ?? run.id), isGivenUp }),
    },
  ];
}

function ofNumber(run: RunToLookAt, since: string | null): OfRun {
  const advice = runAdvice(run, null);
  return [
    {
      ...{ ...aboutOf(run), kind: 'same_number', since, advice },
      what: `${nameOf(run)} has ${counted(run.setAsideFor.length + 1, 'document')}. ${run.id} is set aside, because ${namedInWords(run.setAsideFor)} has the same number.`,
      todo: `bootstrax renumber ${run.id} NUMBER --reason TEXT, or remove the wrong document`,
    },
  ];
}

function ofRetry(run: RunToLookAt, { limits, now, places }: Reading): OfRun {
  // Tagged to be abandoned, it is not tried again.
  if (run.nextRetry === null || run.tags.includes(ABANDON_TAG)) return [];
  if (!isLate(new Date(run.nextRetry), limits, now, places)) return [];
  return [
    {
      ...{ ...aboutOf(run), kind: 'promise_missed', since: run.nextRetry },
      what: `${nameOf(run)} is due for a retry, and no host has taken it.`,
      cause: 'no host has taken them',
      detail: run.why,
      todo: `bootstrax explain ${run.run ?? '?'}`,
    },
  ];
}

function ofWork(run: RunToLookAt, changed: Date | null, { limits, now }: Reading): OfRun {
  const age = changed === null ? 0 : (now.getTime() - changed.getTime()) / 1000;
  const lease =
    run.condition === 'considering' ? limits.consideringLeaseSeconds : limits.busyLeaseSeconds;
  if (age <= lease + limits.promiseGraceSeconds) return ofStall(run, limits);
  const was = run.condition === 'considering' ? 'claimed' : 'processed';
  return [
    {
      ...{ ...aboutOf(run), kind: 'run_silent', since: changed?.toISOString() ?? null },
      what: `${nameOf(run)} was ${was} on ${run.host ?? 'an unknown host'}, which sends no heartbeat of it; no host has taken it over.`,
      cause: 'no host has taken them over',
      todo: 'Check that managers run: bootstrax hosts',
    },
  ];
}

/** A run that has failed before has probably waited for the same thing before. */
function ofStall(run: RunToLookAt, limits: AttentionLimits): OfRun {
  const { progress, failures } = run;
  if (progress === null || !progress.isStalled) return [];
  const isItem = failures > 0 || (progress.stillSeconds ?? 0) >= limits.stalledAttentionSeconds;
  if (!isItem) return [];
  const { says, check, call } = adviceFor(progress.waitsFor === null ? 'hang' : 'input_not_ready');
  return [
    {
      ...{ ...aboutOf(run), kind: 'run_stalled', since: progress.movedAt },
      what: `${nameOf(run)} is stalled: ${stallText(progress)}.`,
      cause: says,
      todo: `${check} Call ${call}.`,
    },
  ];
}

function ofProducts(run: RunToLookAt, since: string | null): OfRun {
  if (run.notHandedOn == null) return [];
  return [
    {
      ...{ ...aboutOf(run), kind: 'not_handed_on', since },
      what: `${nameOf(run)} is done, but not handed on.`,
      cause: 'no host hands them on',
      detail: `Done on ${run.host ?? 'an unknown host'}: ${run.notHandedOn}.`,
      todo: `Check its data: the DAQ's log says what is missing. Restore it, or have it made again: bootstrax retry ${run.run ?? run.id} --even-done --reason TEXT`,
    },
  ];
}

function ofData(run: RunToLookAt, since: string | null): OfRun {
  if (run.incomplete.length === 0) return [];
  return [
    {
      ...{ ...aboutOf(run), kind: 'incomplete', since },
      what: `${nameOf(run)} is done, but live data was missing.`,
      cause: 'live data was missing',
      detail: boundedLine(run.incomplete.join(' '), LONGEST_DETAIL),
      todo: `Once the files are whole: bootstrax retry ${run.run ?? run.id} --even-done --reason TEXT`,
    },
  ];
}

/** What is wrong with several runs together. */
export function sharedTroubles(runs: readonly RunToLookAt[], now: Date): Trouble[] {
  return [...takenTogether(runs, now).map(ofTogether), ...numbersTwice(runs)];
}

function ofTogether({ detector, runs, since }: TakenTogether): Trouble {
  const numbers = runs.map(({ run }) => String(run ?? '?'));
  return {
    ...{ kind: 'taken_together', run: runs[0]?.run ?? null, host: null, since },
    what: `${counted(runs.length, 'run')} of ${detector} are being taken at once: ${namedInWords(numbers)}.`,
    todo: 'A detector takes one run at a time: the end of the earlier ones was never written. Call the DAQ expert.',
    occurrence: numbers.join(' '),
  };
}

/** Documents of one number of which no host has set one aside yet. */
function numbersTwice(runs: readonly RunToLookAt[]): Trouble[] {
  const idsOf = new Map<number, Set<string>>();
  for (const { run, id } of runs) {
    if (run !== null) idsOf.set(run, (idsOf.get(run) ?? new Set()).add(id));
  }
  const setAside = new Set(
    runs.flatMap(({ run, setAsideFor }) => (setAsideFor.length > 0 ? run : [])),
  );
  return [...idsOf].flatMap(([run, ids]): Trouble[] => {
    if (ids.size < 2 || setAside.has(run)) return [];
    return [
      {
        ...{ kind: 'same_number', run, host: null, since: null },
        what: `Run ${run} has ${counted(ids.size, 'document')}: ${namedInWords([...ids])}.`,
        todo: 'bootstrax renumber DOCUMENT NUMBER --reason TEXT, or remove the wrong document',
        occurrence: [...ids].sort().join(' '),
      },
    ];
  });
}

/**
 * Whether a retry is late. New runs go first, so a due retry is late only if a host had a free slot and
 * did not take it, or if it has waited for the time after which it goes before new runs.
 */
function isLate(due: Date, limits: AttentionLimits, now: Date, places: SlotsNow): boolean {
  const grace = limits.promiseGraceSeconds;
  const waited = (from: Date) => (now.getTime() - from.getTime()) / 1000;
  if (places.kind === 'none' || waited(due) > limits.overdueSeconds + grace) {
    return waited(due) > grace;
  }
  if (places.kind === 'full') return false;
  const free = places.since;
  return waited(free !== null && free > due ? free : due) > grace;
}

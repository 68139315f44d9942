import { boundedLine } from '../infra/values/bounded.pure.ts';
import { fieldsOf, isMissing, isObject, readDate } from '../infra/values/bson-values.pure.ts';
import { readIncomplete } from './incomplete.pure.ts';
import { elementsOf, plainNumber, plainString, plainStrings, shownText } from './leaves.pure.ts';
import type { FieldProblem } from './run-shape.pure.ts';
import type { OwnFields, StoredDebt, StoredProgress } from './stored-run.pure.ts';

/** Bounds for ids, which other programs make: number of documents named, characters of an id. */
const MOST_IDS = 5;
const LONGEST_ID = 100;
const LONGEST_WAIT = 200;
/** Stands for the name of a field that cannot be read. */
const NO_FIELD = '(unreadable)';

/** Fields that only this program writes; values of another type count as absent. */
export function readOwnFields(bootstrax: unknown): OwnFields {
  const fields = isObject(bootstrax) ? bootstrax : {};
  return {
    lastAttempt: plainString(fields.last_attempt),
    attemptTime: isMissing(fields.attempt_time) ? null : { at: readDate(fields.attempt_time) },
    action: plainString(fields.action),
    plan: readPlan(fields.plan),
    progress: readProgress(fields.progress),
    incomplete: readIncomplete(fields.incomplete),
    malformed: elementsOf(fields.malformed).map(readProblem),
    sameNumber: plainStrings(fields.same_number)
      .slice(0, MOST_IDS)
      .map((id) => id.slice(0, LONGEST_ID)),
    faultSeen: readFaultSeen(fields.fault_seen),
    debt: readDebt(fields.debt),
    debtPaid: plainString(fields.debt_paid),
  };
}

function readPlan(plan: unknown): OwnFields['plan'] {
  if (isMissing(plan)) return null;
  const { targets, dropped, place } = fieldsOf(plan);
  return {
    targets: plainStrings(targets),
    dropped: plainStrings(dropped),
    place: plainString(place),
  };
}

function readProgress(progress: unknown): StoredProgress | null {
  if (!isObject(progress)) return null;
  return {
    phase: plainString(progress.phase),
    chunks: plainNumber(progress.chunks),
    coveredSeconds: plainNumber(progress.covered_seconds),
    bytes: plainNumber(progress.bytes),
    memoryBytes: plainNumber(progress.memory_bytes),
    mbPerSecond: plainNumber(progress.mb_per_s),
    seconds: plainNumber(progress.t),
    firstOutput: readDate(progress.first_output),
    moved: readDate(progress.moved),
    waitsFor: shortText(progress.waits_for),
  };
}

function shortText(value: unknown): string | null {
  const text = plainString(value);
  return text === null ? null : boundedLine(text, LONGEST_WAIT);
}

function readProblem(noted: unknown): FieldProblem {
  const { field, problem } = fieldsOf(noted);
  return { field: plainString(field) ?? NO_FIELD, problem: plainString(problem) ?? '' };
}

function readFaultSeen(seen: unknown): OwnFields['faultSeen'] {
  const { document, live } = fieldsOf(seen);
  return typeof document === 'string' && typeof live === 'string' ? { document, live } : null;
}

function readDebt(debt: unknown): StoredDebt | null {
  if (isMissing(debt)) return null;
  const { attempt = null, time = null } = fieldsOf(debt);
  return { attempt: shownText(attempt), seen: { attempt, time } };
}

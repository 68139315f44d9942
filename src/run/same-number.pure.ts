import { counted } from '../infra/values/counted.pure.ts';
import type { FieldProblem } from './run-shape.pure.ts';
import type { StoredRun } from './stored-run.pure.ts';

/**
 * One run number, one document. strax names folders and live data by the number alone, so of several
 * documents with the same number only one may be processed.
 */

/** A run document that shares its number with others. */
export interface Numbered {
  /** Text of its `_id`. */
  id: string;
  stored: StoredRun;
}

/** Whether the run of one of these documents may be begun. */
export type MayBegin =
  | { kind: 'yes' }
  /** `owner`: the document to which the number belongs, or one that is being processed. */
  | { kind: 'no'; owner: Numbered }
  /** The document has another number now, or no longer exists. */
  | { kind: 'gone' };

/** Why a run yields: its number belongs to another document. */
export interface NumberTaken {
  text: string;
  problems: readonly FieldProblem[];
  /** Ids of the other documents. */
  sameNumber: readonly string[];
}

/**
 * The document to which the number belongs: one with products, else one that is busy, else the one with
 * the smallest id. Every host that reads the same documents finds the same one.
 */
export function numberHolder<T extends Numbered>(documents: readonly T[]): T | null {
  return [...documents].sort(firstOwns)[0] ?? null;
}

/**
 * Checked after the claim, and again once the document says `busy`, before anything of the run is made.
 * Only the document to which the number belongs may begin, and none beside a busy one. Of two that are
 * claimed at the same moment at most one begins: the check after the later write of `busy` sees the
 * earlier one.
 */
export function mayBegin(id: string, documents: readonly Numbered[]): MayBegin {
  const own = documents.find((each) => each.id === id);
  if (own === undefined) return { kind: 'gone' };
  const others = documents.filter((each) => each.id !== id);
  const owner = numberHolder(documents);
  if (owner !== null && owner.id !== id) return { kind: 'no', owner };
  const busy = others.find(isBusy);
  return busy === undefined ? { kind: 'yes' } : { kind: 'no', owner: busy };
}

/** Whether the run has or had products: then it must not be changed for the sake of another one. */
export function hasProducts({ stored }: Pick<Numbered, 'stored'>): boolean {
  const lists = stored.data.some(({ type }) => type !== null && type !== 'live');
  return lists || stored.bootstrax.state === 'done';
}

/** At most this many documents of a number are named; the others are counted. */
const MOST_NAMED = 5;
/** Longest id that is shown: other programs make ids of any type and length. */
const MOST_ID_CHARACTERS = 100;

/** The documents of a number for people, each with id and state; the one that has the number first. */
export function documentsInWords(documents: readonly Numbered[]): string {
  const named = [...documents].sort(firstOwns).slice(0, MOST_NAMED).map(documentInWords);
  const more = documents.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** One document: its id and its state. */
export function documentInWords({ id, stored }: Numbered): string {
  const { host } = stored.bootstrax;
  const shown = stored.stateText?.slice(0, 20) ?? 'new';
  const where = shown !== 'new' && host !== null ? ` on ${host.slice(0, 100)}` : '';
  return `${id.slice(0, MOST_ID_CHARACTERS)} (${shown}${where})`;
}

/** Why a command refuses a number that several documents have. */
export function severalText(number: number, documents: readonly Numbered[]): string {
  return `${counted(documents.length, 'document')} have the number ${number}: ${documentsInWords(documents)}. Name one of them by its id instead of the number`;
}

/**
 * Why an action on one document would harm the runs of the others; null if it would not. Other programs
 * find an abandoned run by its number alone and delete its data. `harm`: the
 * effect of the action that could harm them.
 */
export function harmToOthers(
  harm: 'begins' | 'deletes' | null,
  own: Numbered,
  others: readonly Numbered[],
): string | null {
  if (others.length === 0) return null;
  switch (harm) {
    case 'deletes':
      return `document ${own.id} is not the only one with its number (${documentsInWords(others)}), and the data of an abandoned run is deleted by the number: ${SETTLE_NUMBER}`;
    case 'begins': {
      const may = mayBegin(own.id, [own, ...others]);
      return may.kind === 'no'
        ? `the number of document ${own.id} belongs to document ${documentInWords(may.owner)}: ${SETTLE_NUMBER}`
        : null;
    }
    case null:
      return null;
  }
}

/** What a person has to do about a shared number, without a full stop. */
export const SETTLE_NUMBER =
  "give the wrong one another number with 'bootstrax renumber DOCUMENT NUMBER --reason TEXT', or remove it from the runs collection";

/** Why a run is set aside, for its reason and the DAQ's log. */
export function setAsideText(number: number, id: string, documents: readonly Numbered[]): string {
  return (
    `run ${number} is not processed from document ${id}: ` +
    `${counted(documents.length, 'document')} have this number, ${documentsInWords(documents)}. ` +
    `Nothing of either is changed; ${SETTLE_NUMBER}`
  );
}

function firstOwns(a: Numbered, b: Numbered): number {
  return rank(b) - rank(a) || Number(a.id > b.id) - Number(a.id < b.id);
}

function rank(each: Numbered): number {
  if (hasProducts(each)) return 2;
  return isBusy(each) ? 1 : 0;
}

function isBusy({ stored }: Pick<Numbered, 'stored'>): boolean {
  return stored.bootstrax.state === 'busy';
}

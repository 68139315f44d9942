import type { Condition } from './run-condition.pure.ts';
import type { RunRow } from './run-row.pure.ts';

/** The filters of a listing; an absent field does not filter. */
export interface CatalogueQuery {
  condition?: Condition;
  mode?: string;
  detector?: string;
  host?: string;
  tag?: string;
  /** Lowest and highest run number. */
  from?: number;
  to?: number;
}

/** The fields of a run by which people filter. */
interface Entry {
  /** Id of the run document. */
  id: string;
  run: number;
  condition: Condition;
  mode: string | null;
  detectors: readonly string[];
  host: string | null;
  tags: readonly string[];
}

/** One page of a listing. */
export interface CataloguePage {
  /** Run numbers, highest first. */
  runs: number[];
  /** Number of runs that fit, on all pages together. */
  total: number;
  /** Run number below which the next page begins; null at the end. */
  before: number | null;
}

/** Conditions that change without an action of a person. */
const UNSETTLED: ReadonlySet<Condition> = new Set<Condition>([
  'new',
  'considering',
  'busy',
  'stalled',
  'retrying',
  'requeued',
]);

/**
 * Keeps in memory by what each run is filtered, so that filters are answered and counted without a query.
 * It reads nothing itself: its keeper puts each run that it has read.
 */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  /** Highest run number first; null when it must be sorted again. */
  #ordered: Entry[] | null = [];
  /** One copy of each text and list, since most runs share them. */
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  get size(): number {
    return this.#entries.size;
  }

  /** Puts a run in its present state. A run without a number cannot be listed. */
  put(row: RunRow): void {
    if (row.run === null) return this.remove(row.id);
    const entry: Entry = {
      id: row.id,
      run: row.run,
      condition: row.condition,
      mode: this.#text(row.mode),
      detectors: this.#list(row.detectors),
      host: this.#text(row.host),
      tags: this.#list(row.tags),
    };
    const before = this.#entries.get(row.id);
    this.#entries.set(row.id, entry);
    // Most changes leave the position of a run: then only its entry is exchanged.
    if (before?.run === entry.run && this.#ordered !== null) {
      const at = positionOf(this.#ordered, before);
      if (at !== -1) this.#ordered[at] = entry;
      else this.#ordered = null;
    } else {
      this.#ordered = null;
    }
  }

  /** Forgets a run whose document is gone. */
  remove(id: string): void {
    if (this.#entries.delete(id)) this.#ordered = null;
  }

  /** Forgets the runs with numbers from `from` to `to` that are not among `ids`. */
  keepOnly(from: number, to: number, ids: ReadonlySet<string>): void {
    const ordered = this.#inOrder();
    for (let at = firstAtMost(ordered, to); at < ordered.length; at++) {
      const { id, run } = ordered[at]!;
      if (run < from) break;
      if (!ids.has(id)) this.remove(id);
    }
  }

  /** The runs below the number `before` that fit, highest first; and how many fit on all pages. */
  find(query: CatalogueQuery, limit: number, before: number | null): CataloguePage {
    const runs: number[] = [];
    let documents = 0;
    let total = 0;
    let more = false;
    for (const entry of this.#inOrder()) {
      if (!fits(entry, query)) continue;
      total++;
      if (before !== null && entry.run >= before) continue;
      // Documents of one number stay on one page: the next one begins below a number.
      const last = runs.at(-1);
      if (documents < limit || entry.run === last) {
        documents++;
        if (entry.run !== last) runs.push(entry.run);
      } else {
        more = true;
      }
    }
    return { runs, total, before: more ? (runs.at(-1) ?? null) : null };
  }

  /** Numbers of runs that may change at any moment, highest first. */
  unsettled(limit: number): number[] {
    const runs: number[] = [];
    for (const { run, condition } of this.#inOrder()) {
      if (runs.length >= limit) break;
      if (UNSETTLED.has(condition)) runs.push(run);
    }
    return runs;
  }

  #inOrder(): readonly Entry[] {
    this.#ordered ??= [...this.#entries.values()].sort(newestFirst);
    return this.#ordered;
  }

  #text(text: string | null): string | null {
    if (text === null) return null;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  #list(texts: readonly string[]): readonly string[] {
    const key = JSON.stringify(texts);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const copy = [...texts];
    this.#lists.set(key, copy);
    return copy;
  }
}

function newestFirst(a: Entry, b: Entry): number {
  return b.run - a.run || Number(a.id < b.id) - Number(a.id > b.id);
}

/** Position of the first entry whose run number is not above this one. */
function firstAtMost(ordered: readonly Entry[], run: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ordered[middle]!.run > run) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position of an entry; -1 if it is not there. */
function positionOf(ordered: readonly Entry[], { id, run }: Entry): number {
  for (let at = firstAtMost(ordered, run); ordered[at]?.run === run; at++) {
    if (ordered[at]?.id === id) return at;
  }
  return -1;
}

function isSame<T>(wanted: T | undefined, is: T): boolean {
  return wanted === undefined || is === wanted;
}

/** Whether a run fits the filters. */
export function fits(
  entry: Omit<Entry, 'id' | 'run'> & { run: number | null },
  query: CatalogueQuery,
): boolean {
  const { condition, mode, detector, host, tag, from, to } = query;
  return (
    isSame(condition, entry.condition) &&
    isSame(mode, entry.mode) &&
    isSame(host, entry.host) &&
    (from === undefined || (entry.run ?? -1) >= from) &&
    (to === undefined || (entry.run ?? Infinity) <= to) &&
    (detector === undefined || entry.detectors.includes(detector)) &&
    (tag === undefined || entry.tags.includes(tag))
  );
}

import type { Environment } from '../ports/environment.ts';
import { idText } from '../run/document-id.ts';
import { checkRun, type ParsedRun, readRun, type StoredRun } from '../run/run.pure.ts';
import type { RunDocument, Seen } from '../run/run-document.port.ts';
import { ABANDON_TAG, HOLD_TAG } from '../run/run-tags.pure.ts';

/** Runs read from each list in every round. */
const FIRST_PAGE = 20;
/** Runs behind these are read in pages while a slot is free: size of a page, most pages in one round. */
const FURTHER_PAGE = 100;
const MOST_FURTHER_PAGES = 5;

export interface Candidate {
  document: RunDocument;
  seen: Seen;
  stored: StoredRun;
  parsed: ParsedRun;
}

/**
 * Failed runs that are due within `withinSeconds`, or none. `withOddCounts` false: without those whose
 * count of failures is no number.
 */
export type Retries = { withinSeconds: number; withOddCounts?: boolean } | 'none';

export interface CandidatesAsked {
  includeHeld: boolean;
  retries: Retries;
  now: Date;
}

type List = 'new' | 'retry' | 'overdueNew' | 'overdueRetry' | 'forAnyHost';

/** How far each list was read when the last round ended; the next round goes on there. */
export type Bookmarks = Map<List, number>;

type ReadPage = (skip: number, limit: number) => Promise<RunDocument[]>;

/**
 * Runs that may be claimed now or soon, in pages. The first page holds the beginning of each list: new
 * runs and retries; where that page is full also runs that have waited too long or are for any host.
 * Further pages go on through the lists, over as many rounds as it takes, and then from their beginning
 * again: each run is read in the end, whatever stands before it.
 */
export async function* candidatePages(
  env: Pick<Environment, 'store' | 'rules' | 'role'>,
  asked: CandidatesAsked,
  bookmarks: Bookmarks = new Map(),
): AsyncGenerator<Candidate[], void, undefined> {
  const lists = readers(env, asked);
  const given = new Set<string>();
  const full = new Set<List>();
  const beginning = async (list: List): Promise<RunDocument[]> => {
    const read = lists[list];
    const found = read === null ? [] : await read(0, FIRST_PAGE);
    if (found.length === FIRST_PAGE) full.add(list);
    else bookmarks.delete(list);
    return found;
  };
  const first = (await Promise.all([beginning('new'), beginning('retry')])).flat();
  const behind = [
    ...(full.has('new') ? (['overdueNew', 'forAnyHost'] as const) : []),
    ...(full.has('retry') ? (['overdueRetry'] as const) : []),
  ];
  first.push(...(await Promise.all(behind.map(beginning))).flat());
  yield notGiven(first, given);
  for (let page = 0; page < MOST_FURTHER_PAGES && full.size > 0; page++) {
    const [list] = full;
    // One list after the other, so that a long list does not hold up the next.
    full.delete(list!);
    const skip = bookmarks.get(list!) ?? FIRST_PAGE;
    const found = (await lists[list!]?.(skip, FURTHER_PAGE)) ?? [];
    yield notGiven(found, given);
    // If the caller stops before this line, the next round reads the page again.
    if (found.length < FURTHER_PAGE) {
      bookmarks.delete(list!);
    } else {
      bookmarks.set(list!, skip + found.length);
      full.add(list!);
    }
  }
}

/** How to read a page of each list; null: the list is not wanted. */
function readers(
  { store, rules, role }: Pick<Environment, 'store' | 'rules' | 'role'>,
  { includeHeld, retries, now }: CandidatesAsked,
): Record<List, ReadPage | null> {
  const { claim, retry } = rules;
  const overdueBefore = new Date(now.getTime() - claim.overdueSeconds * 1000);
  const tagged = includeHeld ? [] : [ABANDON_TAG];
  const fresh =
    (also: { begunBefore?: Date; withoutDetector?: string }): ReadPage =>
    (skip, limit) =>
      store.runs.newCandidates({ ...also, skip, limit, includeHeld, withoutTags: tagged });
  const due = {
    giveUpAfter: retry.maxFailures,
    withOddCounts: retries === 'none' || retries.withOddCounts !== false,
    withoutTags: includeHeld ? [] : [ABANDON_TAG, HOLD_TAG],
  };
  const noRetries = retries === 'none';
  const within = noRetries ? 0 : retries.withinSeconds;
  return {
    new: fresh({}),
    overdueNew: fresh({ begunBefore: overdueBefore }),
    forAnyHost: role === 'primary' ? null : fresh({ withoutDetector: claim.mainDetector }),
    retry: noRetries
      ? null
      : (skip, limit) =>
          store.runs.retryDue({
            ...{ ...due, skip, limit },
            now: new Date(now.getTime() + within * 1000),
          }),
    overdueRetry: noRetries
      ? null
      : (skip, limit) => store.runs.overdue({ ...due, skip, limit, before: overdueBefore }),
  };
}

function notGiven(documents: readonly RunDocument[], given: Set<string>): Candidate[] {
  return documents.flatMap((document) => {
    const key = idText(document._id);
    if (given.has(key)) return [];
    given.add(key);
    const stored = readRun(document);
    const seen = { id: document._id, ...stored.ownership };
    return [{ document, seen, stored, parsed: checkRun(stored) }];
  });
}

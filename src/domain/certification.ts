import { fieldsOf } from './bson-values.ts';

/** What was found of the folders that a done run lists for its host; null where they cannot be seen. */
export type FoldersSeen = readonly { location: string; problem: string | null }[] | null;

/** Where the products of a done run lie, by its document: those listed for the host that has done it. */
export function productsListed(document: Record<string, unknown>): string[] {
  const { host } = fieldsOf(document['bootstrax']);
  const entries: unknown[] = Array.isArray(document['data']) ? document['data'] : [];
  return entries.map(fieldsOf).flatMap((entry) => {
    const { type, location } = entry;
    const isProduct = type !== 'live' && entry['host'] === host && typeof host === 'string';
    return isProduct && typeof location === 'string' ? [location] : [];
  });
}

/**
 * Why a done run must not be handed on with the status that says that it is complete, or null: it
 * lists no product, or one that was looked at is not as it should be.
 */
export function uncertifiable(listed: readonly string[], seen: FoldersSeen): string | null {
  if (listed.length === 0) return 'its document lists no product of the host that has done it';
  for (const location of seen === null ? [] : listed) {
    const found = seen?.find((each) => each.location === location);
    if (found === undefined) return `${location} is not there`;
    if (found.problem !== null) return found.problem;
  }
  return null;
}

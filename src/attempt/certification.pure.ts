import type { Rules } from '../infra/config/rules.pure.ts';
import type { StoredRun } from '../run/stored-run.pure.ts';
import { lacksData } from './live-input.pure.ts';

/** What was found of the folders that a done run lists for its host; null where they cannot be seen. */
export type FoldersSeen = readonly { location: string; problem: string | null }[] | null;

/** Where the products of a done run lie, by its document: those listed for the host that has done it. */
export function productsListed({ bootstrax, data }: StoredRun): string[] {
  return data.flatMap(({ type, host, location }) => {
    const isProduct = type !== 'live' && host !== null && host === bootstrax.host;
    return isProduct && location !== null ? [location] : [];
  });
}

/**
 * Why a done run must not be handed on with the status that says that it is complete, or null: it
 * lists no product, or one that was checked is not as it should be.
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

/** How long hosts may take to give a done run the status that hands it on. */
export function handOnGraceSeconds({ limits }: Rules): number {
  return limits.endOfRunSeconds + 60;
}

/**
 * Why a done run that has no status which hands it on has still none, or null: it is not yet due, is
 * being worked on, or is told of as one that lacks data. Hosts give such a run its status within
 * minutes: `graceSeconds` after it was done nobody does so by itself any more.
 */
export function whyNotHandedOn(run: StoredRun, now: Date, graceSeconds: number): string | null {
  const { state, time } = run.bootstrax;
  const { incomplete, debt } = run.own;
  if (state !== 'done' || debt !== null) return null;
  if (time !== null && now.getTime() - time.getTime() <= graceSeconds * 1000) return null;
  if (incomplete !== null && lacksData(incomplete)) return null;
  if (run.end === null) return 'the DAQ has not written its end';
  return (
    uncertifiable(productsListed(run), null) ??
    `what it lists is not there or not whole, or ${run.bootstrax.host ?? 'its host'} has not checked it`
  );
}

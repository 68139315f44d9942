import {
  type AttemptSeen,
  type Listing,
  runId,
  type RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';

/** Outcomes of attempts whose products nobody needs. */
const FAILED: readonly (string | null)[] = [
  ...['failed', 'requeued', 'given_up', 'set_aside', 'abandoned', 'superseded'],
];
/** Tolerance between the last write of an attempt and its recorded end, which may be by another clock. */
const END_SLACK_MS = 60_000;
/** A listing, indexed by run. */
export class View {
  readonly listing: Listing;
  readonly #runs = new Map<number, RunSeen[]>();
  readonly #attempts = new Map<number, AttemptSeen[]>();
  readonly #entries = new Set<string>();
  readonly #folders = new Set<string>();

  constructor(listing: Listing) {
    this.listing = listing;
    for (const run of listing.runs) {
      this.#runs.set(run.run, [...(this.#runs.get(run.run) ?? []), run]);
      for (const { location } of run.entries) if (location !== null) this.#entries.add(location);
    }
    for (const attempt of listing.attempts) {
      this.#attempts.set(attempt.run, [...(this.#attempts.get(attempt.run) ?? []), attempt]);
    }
    for (const { path } of listing.folders) this.#folders.add(path);
  }

  runs(number: number): readonly RunSeen[] {
    return this.#runs.get(number) ?? [];
  }

  /** Whether any host lists it: on a shared disk it may be this folder. */
  isListed(location: string): boolean {
    return this.#entries.has(location);
  }

  isThere(path: string): boolean {
    return this.#folders.has(path) || !this.listing.missing.has(path);
  }

  isHeld(number: number): boolean {
    return this.runs(number).some(isHeld);
  }

  isHeldHere(number: number): boolean {
    return this.runs(number).some((run) => isHeld(run) && run.host === this.listing.host);
  }

  doneHere(number: number): boolean {
    return this.runs(number).some(({ state, host }) => {
      return state === 'done' && host === this.listing.host;
    });
  }

  doneElsewhere(number: number): string | null {
    const found = this.runs(number).find(({ state, host }) => {
      return state === 'done' && host !== this.listing.host;
    });
    return found === undefined ? null : String(found.host);
  }

  /** Whether a manager is about to remove what an attempt at the run has left. */
  isSeenTo(number: number): boolean {
    const attempts = this.#attempts.get(number) ?? [];
    return this.listing.managerRuns && attempts.some(({ open, alive }) => open || alive);
  }

  /**
   * The failed attempt of this host that made a folder, if that is proved: it announced the folder, the
   * folder has not changed since its end, and no other attempt of this host may have written there.
   */
  makerOf(number: number, location: string, newestMs: number): Proof {
    const no = (why: string): Proof => ({ attempt: null, why });
    const { outputDirectory } = this.listing;
    if (!isInside(outputDirectory, location, number)) {
      return no(`it is not a folder of its run directly in the output folder ${outputDirectory}`);
    }
    const documents = this.runs(number);
    if (documents.length === 0) return no('its run has no document');
    if (documents.length > 1)
      return no(`${counted(documents.length, 'document')} have its run number`);
    if (this.isHeld(number)) return no('its run is being processed');
    if (this.doneHere(number)) return no('its run is done on this host');
    const attempts = this.#attempts.get(number) ?? [];
    if (attempts.some(({ endedMs, open, alive }) => endedMs === null || open || alive)) {
      return no('an attempt of this host at its run is not concluded');
    }
    const makers = attempts.filter(({ locations }) => locations.includes(location));
    if (makers.length === 0) return no('no attempt of this host is known to have made it');
    if (!makers.every(({ outcome }) => FAILED.includes(outcome))) {
      return no('an attempt of this host that did not fail has made it');
    }
    const maker = makers.find(({ endedMs }) => newestMs <= (endedMs ?? -Infinity) + END_SLACK_MS);
    if (maker === undefined) return no('it was changed after the attempts that made it had ended');
    return { attempt: maker.id, outcome: maker.outcome ?? '' };
  }
}

/** The failed attempt of this host that made a folder, or why that is not proved. */
export type Proof = { attempt: string; outcome: string } | { attempt: null; why: string };

/** Nothing outside the output folder is ever touched, whatever a document or a listing contains. */
export function isInside(outputDirectory: string, path: string, run: number): boolean {
  const start = `${outputDirectory}/${runId(run)}-`;
  return path.startsWith(start) && /^[\w-]+$/.test(path.slice(start.length));
}

function isHeld({ state }: RunSeen): boolean {
  return state === 'considering' || state === 'busy';
}

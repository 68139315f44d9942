/**
 * Compares the disks of one host with the run documents: a listing in, findings out. Few findings have an
 * action; all others are left to a person.
 */

import type {
  Action,
  AttemptSeen,
  Finding,
  HostSeen,
  Listing,
  RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { SETTLE_NUMBER } from '../../run/same-number.pure.ts';
import { forAPerson, stateInWords } from './finding-words.pure.ts';
import { liveEntries, liveFolder, unreadableRoot } from './live-findings.pure.ts';
import { dataEntries, outputFolder } from './output-findings.pure.ts';
import { View } from './run-claims.pure.ts';

/** Runs that a summary names at most. */
const MOST_NAMED = 20;

/** Compares a listing; findings in the order of runs. */
export function reconcile(listing: Listing): Finding[] {
  const view = new View(listing);
  return [
    ...sameNumbers(listing.runs),
    ...listing.liveRoots.flatMap(unreadableRoot),
    ...listing.live.flatMap((live) => liveFolder(view, live)),
    ...listing.runs.flatMap((run) => liveEntries(view, run)),
    ...listing.folders.flatMap((folder) => outputFolder(view, folder)),
    ...listing.runs.flatMap((run) => dataEntries(view, run)),
    ...listing.attempts.flatMap((attempt) => unfinishedAttempt(view, attempt)),
    ...listing.hosts.flatMap((host) => deadHost(view, host)),
  ].sort((a, b) => (a.run ?? Infinity) - (b.run ?? Infinity));
}

/** Whether a new reading of the run gives the same action. Checked right before it is carried out. */
export function stillPermitted(action: Action, fresh: Listing): boolean {
  return reconcile(fresh).some(({ action: now }) => now !== null && sameAction(now, action));
}

function sameAction(a: Action, b: Action): boolean {
  const place = (action: Action) => (action.kind === 'remove' ? action.path : action.location);
  return a.kind === b.kind && a.run === b.run && place(a) === place(b);
}

function sameNumbers(runs: readonly RunSeen[]): Finding[] {
  const byRun = new Map<number, RunSeen[]>();
  for (const each of runs) byRun.set(each.run, [...(byRun.get(each.run) ?? []), each]);
  return [...byRun].flatMap(([run, documents]): Finding[] => {
    if (documents.length < 2) return [];
    const ids = documents.map(({ id }) => id).sort();
    const named = documents.map((each) => `${each.id} (${stateInWords(each)})`).sort();
    return [
      {
        kind: 'same_number',
        run,
        path: null,
        says: `${counted(documents.length, 'document')} have the number ${run}: ${named.join(', ')}`,
        todo: SETTLE_NUMBER,
        ...forAPerson({ documents: ids }),
      },
    ];
  });
}

function unfinishedAttempt(view: View, attempt: AttemptSeen): Finding[] {
  const { id, run, open, alive, endedMs } = attempt;
  if (!open && !alive && endedMs !== null) return [];
  // A manager concludes its attempts, and those of earlier managers.
  const seenTo = view.listing.managerRuns;
  if (seenTo && view.isHeldHere(run)) return [];
  const going = alive ? 'its processes run' : 'none of its processes runs';
  return [
    {
      kind: 'attempt_unfinished',
      run,
      path: null,
      says: `attempt ${id} at run ${run} is not concluded; ${going}, ${seenTo ? 'and a manager runs here' : 'and no manager runs here'}`,
      todo: seenTo
        ? 'the manager concludes it'
        : "start the manager ('bootstrax run'), or leave the host to another program ('bootstrax handback')",
      action: null,
      needsPerson: !seenTo,
      details: { attempt: id, alive, open },
    },
  ];
}

function deadHost(view: View, { host, silentSeconds }: HostSeen): Finding[] {
  const { listing } = view;
  if (host === listing.host) return [];
  if (silentSeconds !== null && silentSeconds <= listing.presumedDeadSeconds) return [];
  const runs = listing.runs
    .map(({ run, entries }) => ({ run, count: entries.filter((e) => e.host === host).length }))
    .filter(({ count }) => count > 0);
  if (runs.length === 0) return [];
  const numbers = runs.map(({ run }) => run);
  const named = numbers.slice(0, MOST_NAMED).join(', ');
  const more = numbers.length > MOST_NAMED ? ` and ${numbers.length - MOST_NAMED} more` : '';
  const since =
    silentSeconds === null
      ? 'which has never sent a heartbeat'
      : `silent for ${Math.round(silentSeconds)} s`;
  const entries = runs.reduce((sum, { count }) => sum + count, 0);
  return [
    {
      kind: 'dead_host',
      run: null,
      path: null,
      says: `${counted(entries, 'data entry', 'data entries')} of ${counted(runs.length, 'run')} ${entries === 1 ? 'is' : 'are'} on ${host}, ${since}: run ${named}${more}`,
      todo: `bring ${host} back, or have its data copied; if it never comes back, have those runs processed again and its entries withdrawn`,
      ...forAPerson({ host, silentSeconds, entries, runs: numbers }),
    },
  ];
}

import {
  type Finding,
  type Listing,
  type LiveContent,
  liveFolderOf,
  type LiveSeen,
  type RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { forAPerson, forNobody, iso, stateInWords } from './finding-words.pure.ts';
import type { View } from './run-claims.pure.ts';

/** Time by which the first files of the readers may be older than the run document. */
const DOCUMENT_DELAY_MS = 300_000;
/** Time by which the run document may be older than the first file. */
const FIRST_FILE_MS = 300_000;
/** A folder of live data that cannot be seen from here. */
export function unreadableRoot({ path, unreadable }: Listing['liveRoots'][number]): Finding[] {
  if (unreadable === null) return [];
  return [
    {
      kind: 'live_unreadable',
      run: null,
      path,
      says: `live data cannot be seen from here: ${path} cannot be read (${unreadable})`,
      todo: 'mount it, or correct paths.live_data, and call reconcile again',
      ...forAPerson({}),
    },
  ];
}

/** The findings about the live data of a run, from its document. */
export function liveFolder(view: View, live: LiveSeen): Finding[] {
  const { run, path, content } = live;
  const details = { ...contentDetails(content) };
  const what = content === null ? path : `${path}: ${contentInWords(content)}`;
  const documents = view.runs(run);
  if (live.beingDeleted) {
    return [
      {
        kind: 'live_being_deleted',
        run,
        path,
        says: `the deletion of the live data of run ${run} is not finished, ${what}`,
        todo: `see 'bootstrax deletions ${run}': a manager of the host that began it finishes it`,
        ...forNobody(details),
      },
    ];
  }
  if (documents.length === 0) {
    const age = content === null ? Infinity : view.listing.nowMs - content.firstMs;
    const soon = age < DOCUMENT_DELAY_MS;
    const base = { kind: 'live_without_document', run, path } as const;
    if (soon) {
      return [
        {
          ...base,
          says: `live data without a run document yet, ${what}`,
          todo: 'the DAQ may be about to write it: call reconcile again in a few minutes',
          ...forNobody(details),
        },
      ];
    }
    return [
      {
        ...base,
        says: `the DAQ has not written a document of run ${run}, but its live data is there, ${what}`,
        todo: `write the document (number ${run}, start, end, mode, detectors, daq_config, data), and the run is processed; or remove ${path} if it is no run`,
        ...forAPerson(details),
      },
    ];
  }
  if (documents.some(({ entries }) => entries.some(({ type }) => type === 'live'))) return [];
  return [
    {
      kind: 'live_unlisted',
      run,
      path,
      says: `live data of run ${run} is there, but its document lists none, ${what}`,
      todo: `its deletion was interrupted, or the entry is lost: see 'bootstrax deletions ${run}' and the run's deleted_data, then remove ${path} or restore the entry`,
      ...forAPerson(details),
    },
  ];
}

/** The findings about the live entries of a document, from the folders on disk. */
export function liveEntries(view: View, run: RunSeen): Finding[] {
  const { serverTime } = view.listing;
  const { start, end, state } = run;
  const fresh =
    end === null && start !== null && serverTime.getTime() - start.getTime() < FIRST_FILE_MS;
  return run.entries.flatMap(({ type, location }) => {
    if (type !== 'live' || location === null || fresh) return [];
    const path = liveFolderOf(location, run.run);
    if (!view.listing.missing.has(path)) return [];
    const finished = state === 'done' || state === 'abandoned';
    const finding: Finding = {
      kind: 'live_missing',
      run: run.run,
      path,
      says: `the document of run ${run.run} (${stateInWords(run)}) lists live data, but ${path} is not there`,
      todo: finished
        ? `if it was deleted on purpose, move the entry to deleted_data`
        : `restore it and 'bootstrax retry ${run.run}', or 'bootstrax abandon ${run.run}'`,
      ...forAPerson({ state }),
    };
    return [finding];
  });
}

function contentDetails(content: LiveContent | null): Record<string, unknown> {
  if (content === null) return {};
  const { chunks, files, bytes, firstMs, lastMs } = content;
  return { chunks, files, bytes, first: iso(firstMs), last: iso(lastMs) };
}

function contentInWords({ chunks, files, bytes, firstMs, lastMs }: LiveContent): string {
  return `${counted(chunks, 'chunk')}, ${counted(files, 'file')}, ${bytes} bytes, written from ${iso(firstMs)} to ${iso(lastMs)}`;
}

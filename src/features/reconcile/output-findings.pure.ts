import type {
  Finding,
  FindingKind,
  FolderSeen,
  RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { forAPerson, forNobody, inWords, iso, stateInWords } from './finding-words.pure.ts';
import { isInside, type Proof, type View } from './run-claims.pure.ts';

/** The findings about a folder of the output folder, from the documents of its run. */
export function outputFolder(view: View, folder: FolderSeen): Finding[] {
  const { run, location, unfinished } = folder;
  // A folder that is being written is no finding.
  if (view.isHeldHere(run)) return [];
  const documents = view.runs(run);
  if (documents.length === 0) return [withoutDocument(folder)];
  const elsewhere = view.doneElsewhere(run);
  const isListedHere = documents.some(({ entries }) =>
    entries.some((entry) => entry.host === view.listing.host && entry.location === location),
  );
  if (isListedHere && !unfinished) {
    return elsewhere === null ? [] : [listedAndDoneElsewhere(folder, elsewhere)];
  }
  if (view.isHeld(run)) return [heldElsewhere(folder)];
  return [unlisted(view, folder, documents, elsewhere)];
}

function withoutDocument(folder: FolderSeen): Finding {
  const { run, path } = folder;
  return {
    kind: 'folder_without_document',
    run,
    path,
    says: `data of run ${run}, which has no document: ${folderInWords(folder)}`,
    todo: `find out who made it; remove it by hand if nobody needs it`,
    ...forAPerson(sizesOf(folder)),
  };
}

function listedAndDoneElsewhere(folder: FolderSeen, elsewhere: string): Finding {
  const { run, path } = folder;
  return {
    kind: 'done_elsewhere',
    run,
    path,
    says: `run ${run} is done on ${elsewhere}, but its data here is listed as well: ${folderInWords(folder)}`,
    todo: 'ajax removes data that is not of the latest host',
    ...forNobody({ ...sizesOf(folder), doneOn: elsewhere, registered: true }),
  };
}

function heldElsewhere(folder: FolderSeen): Finding {
  const { run, path, unfinished } = folder;
  return {
    kind: unfinished ? 'folder_unfinished' : 'folder_unregistered',
    run,
    path,
    says: `data of run ${run}, which another host is processing: ${folderInWords(folder)}`,
    todo: 'call reconcile again when that has ended',
    ...forNobody(sizesOf(folder)),
  };
}

function unlisted(
  view: View,
  folder: FolderSeen,
  documents: readonly RunSeen[],
  elsewhere: string | null,
): Finding {
  const { run, path, location } = folder;
  const base = { ...kindOfUnlisted(folder, documents, elsewhere), run, path };
  const details = { ...sizesOf(folder), ...(elsewhere === null ? {} : { doneOn: elsewhere }) };
  const byHand = (why: string): Finding => ({
    ...base,
    todo: `--apply does not remove it: ${why}. Find out who made it, then list it or remove it by hand`,
    ...forAPerson(details),
  });
  if (view.isSeenTo(run)) {
    return { ...base, todo: 'the manager removes it after the attempt', ...forNobody(details) };
  }
  // Folders are named by the run number: it is unknown to which document this one belongs.
  if (documents.length > 1) {
    return byHand(`${counted(documents.length, 'document')} have this number`);
  }
  if (!folder.isFolder) return byHand('it is a link or a file');
  if (folder.condemned && isInside(view.listing.outputDirectory, path, run)) {
    return {
      ...base,
      todo: `its removal was interrupted: 'bootstrax reconcile --apply' finishes it`,
      action: { kind: 'remove', run, path, attempt: null },
      needsPerson: true,
      details,
    };
  }
  if (view.isListed(location) || view.isListed(path)) return byHand('a run document lists it');
  const proof = view.makerOf(run, location, folder.newestMs);
  if (proof.attempt === null) return byHand(proof.why);
  return {
    ...base,
    todo: `'bootstrax reconcile --apply' removes it: attempt ${proof.attempt} of this host made it, with the outcome ${proof.outcome}`,
    action: { kind: 'remove', run, path, attempt: proof.attempt },
    needsPerson: true,
    details: { ...details, attempt: proof.attempt },
  };
}

function kindOfUnlisted(
  folder: FolderSeen,
  documents: readonly RunSeen[],
  elsewhere: string | null,
): { kind: FindingKind; says: string } {
  const { run } = folder;
  const what = folderInWords(folder);
  if (elsewhere !== null) {
    const says = `run ${run} is done on ${elsewhere}, and unlisted data of it is here: ${what}`;
    return { kind: 'done_elsewhere', says };
  }
  if (folder.unfinished) {
    const says = `strax has not finished this folder, and no host processes run ${run} (${inWords(documents)}): ${what}`;
    return { kind: 'folder_unfinished', says };
  }
  const says = `data of run ${run} (${inWords(documents)}) that its document does not list for this host: ${what}`;
  return { kind: 'folder_unregistered', says };
}

function folderInWords({ path, files, bytes, newestMs }: FolderSeen): string {
  return `${path} (${counted(files, 'file')}, ${bytes} bytes, changed last ${iso(newestMs)})`;
}

function sizesOf({ files, bytes, newestMs }: FolderSeen): Record<string, unknown> {
  return { files, bytes, changedLast: iso(newestMs) };
}

/** The findings about the data entries of a document, from the folders on disk. */
export function dataEntries(view: View, run: RunSeen): Finding[] {
  const { listing } = view;
  const { host } = listing;
  if (view.isHeldHere(run.run)) return [];
  return run.entries.flatMap((entry): Finding[] => {
    const { location, type } = entry;
    if (entry.host !== host || type === 'live' || location === null) return [];
    if (view.isThere(location)) return [];
    const temporary = listing.folders.some((folder) => folder.path === `${location}_temp`);
    const base = {
      kind: 'entry_without_data',
      run: run.run,
      path: location,
      says:
        `the document of run ${run.run} (${stateInWords(run)}) lists ${type} on this host, but ${location} is not there` +
        (temporary ? ': only the unfinished folder is' : ''),
    } as const;
    const details = { type, state: run.state };
    if (view.isSeenTo(run.run)) {
      return [{ ...base, todo: 'the manager removes it after the attempt', ...forNobody(details) }];
    }
    const proof: Proof = temporary
      ? { attempt: null, why: 'the unfinished folder must be removed first' }
      : view.makerOf(run.run, location, -Infinity);
    if (proof.attempt === null) {
      const again =
        run.state === 'done' && run.host === host
          ? ` (or have the run processed again: 'bootstrax retry ${run.run} --even-done --reason TEXT', while its live data is there)`
          : '';
      return [
        {
          ...base,
          todo: `--apply does not withdraw it: ${proof.why}. Restore the folder, or move the entry to deleted_data${again}`,
          ...forAPerson(details),
        },
      ];
    }
    return [
      {
        ...base,
        todo: `'bootstrax reconcile --apply' withdraws the entry: attempt ${proof.attempt} of this host made it, with the outcome ${proof.outcome}`,
        action: { kind: 'withdraw', run: run.run, location, attempt: proof.attempt },
        needsPerson: true,
        details: { ...details, attempt: proof.attempt },
      },
    ];
  });
}

/** What the name of a folder with strax data says. */
export interface StraxFolder {
  runId: string;
  type: string;
  lineageHash: string;
  /** Carries the suffix `_temp`: strax has not finished it. */
  unfinished: boolean;
}

export const UNFINISHED_SUFFIX = '_temp';

const NAME = /^(\d{6,})-(\w+)-([A-Za-z0-9]+)(_temp)?$/;

/** Reads `<run id>-<type>-<hash>[_temp]`; null for any other name. */
export function parseFolderName(name: string): StraxFolder | null {
  const [, runId, type, lineageHash, suffix] = NAME.exec(name) ?? [];
  if (runId === undefined || type === undefined || lineageHash === undefined) return null;
  return { runId, type, lineageHash, unfinished: suffix !== undefined };
}

/**
 * Release 0.1.1 removed folders where they lay, under this name: lineage hashes have no zeros. At its
 * end the letter of what was finished; without it, unfinished.
 */
const CONDEMNED = /0removed[0-9a-f]{12}(z?)_temp$/;

/** Is it a folder that release 0.1.1 was about to remove? */
export function isCondemned(path: string): boolean {
  return CONDEMNED.test(path);
}

/** The final path of a folder, and whether it had that, or has it. */
export function placeOf(path: string): {
  location: string;
  unfinished: boolean;
  condemned: boolean;
} {
  const condemned = CONDEMNED.exec(path);
  if (condemned !== null) {
    const location = path.slice(0, condemned.index);
    return { location, unfinished: condemned[1] === '', condemned: true };
  }
  const unfinished = path.endsWith(UNFINISHED_SUFFIX);
  const location = unfinished ? path.slice(0, -UNFINISHED_SUFFIX.length) : path;
  return { location, unfinished, condemned: false };
}

import { randomBytes } from 'node:crypto';

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

/** Lineage hashes have no zeros. */
const CONDEMNED_MARK = '0removed';
const CONDEMNED_BYTES = 6;
/** At its end the letter of what was finished; without it, unfinished. */
const CONDEMNED = new RegExp(
  `${CONDEMNED_MARK}[0-9a-f]{${2 * CONDEMNED_BYTES}}(z?)${UNFINISHED_SUFFIX}$`,
);

/** Is it the name of a folder on its way out? */
export function isCondemned(path: string): boolean {
  return CONDEMNED.test(path);
}

/** A name under which a folder is removed: nobody takes it for data, and nobody else gives it. */
export function condemnedName(path: string): string {
  const { location, unfinished } = placeOf(path);
  const mark = `${CONDEMNED_MARK}${randomBytes(CONDEMNED_BYTES).toString('hex')}`;
  return `${location}${mark}${unfinished ? '' : 'z'}${UNFINISHED_SUFFIX}`;
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

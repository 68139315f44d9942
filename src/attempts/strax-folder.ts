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

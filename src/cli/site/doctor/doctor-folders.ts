import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { FolderWord } from '../../../attempt/files/ownership.pure.ts';
import type { Settings } from '../../../infra/config/entries.ts';
import { stagingDirectory } from '../../../infra/config/paths.ts';
import { counted } from '../../../infra/values/counted.pure.ts';
import type { Finding } from './doctor-finding.ts';

/** Product folders that are read, those of the newest runs. */
const FOLDERS_READ = 200;
/** Who wrote before that need not write now, days. */
const RECENT_DAYS = 7;
const DAY_MS = 24 * 3_600_000;

/** Whether what attempts make can be renamed into the output folder, tried. Leaves nothing behind. */
export async function checkStaging(paths: Settings['paths']): Promise<Finding> {
  const { removeEmptyFolder } = await import('../../../infra/disk/durable.ts');
  const { stagingProblem } = await import('../../../attempt/files/staging.ts');
  const { stagingSays, stagingTodo } = await import('../../../attempt/files/staging.pure.ts');
  const check = 'folder of attempts';
  const folders = { staging: stagingDirectory(paths), output: paths.output };
  const wasThere = existsSync(folders.staging);
  const problem = await stagingProblem(folders);
  // Whoever runs this need not be the user of the manager, who has to write there.
  if (!wasThere) await removeEmptyFolder('place.remove', folders.staging);
  if (problem === null) {
    const says = `${folders.staging}: what is made there can be renamed into the output folder`;
    return { check, state: 'ok', says, todo: null };
  }
  const says = stagingSays(folders, problem);
  return { check, state: 'problem', says, todo: stagingTodo(folders, problem) };
}

/**
 * Who else writes to the output folder, as the product folders of the newest runs say. Managers of
 * this program leave each other's folders alone; the reference removes what lies where it writes.
 */
export async function checkSharing(output: string, host: string): Promise<Finding> {
  const check = 'shared output folder';
  const { words, unsigned } = await newestFolders(output);
  const hosts = new Set(words.flatMap((word) => (word.kind === 'says' ? [word.host] : [])));
  hosts.delete(host);
  const managers =
    hosts.size === 0
      ? 'no other host of this program writes here'
      : `${[...hosts].sort().join(', ')} write here as well: managers of this program never remove each other's folders`;
  const [first] = unsigned;
  if (first === undefined) {
    const says = `${managers}. A bootstrax.py with this output folder would remove ours`;
    return { check, state: 'ok', says, todo: null };
  }
  const days = counted(RECENT_DAYS, 'day');
  return {
    check,
    state: 'warn',
    says: `${counted(unsigned.length, 'product folder')} of the last ${days} (${first} is one) do not say who made them: bootstrax.py or release 0.1.0 writes here. bootstrax.py removes a finished folder of ours where it makes the same data. ${managers}`,
    todo: 'if bootstrax.py still runs, give it or this program an output folder of its own',
  };
}

interface Newest {
  words: readonly FolderWord[];
  /** Names of those that were changed lately and do not say who made them. */
  unsigned: readonly string[];
}

async function newestFolders(output: string): Promise<Newest> {
  const { parseFolderName } = await import('../../../attempt/files/strax-folder.ts');
  const { readWord } = await import('../../../attempt/files/ownership.ts');
  const names = await readdir(output).catch((): string[] => []);
  const newest = names
    .filter((name) => parseFolderName(name)?.unfinished === false)
    .sort()
    .slice(-FOLDERS_READ);
  const now = Date.now();
  const read = newest.map(async (name) => {
    const path = join(output, name);
    try {
      const [word, { mtimeMs }] = await Promise.all([readWord(path), stat(path)]);
      const isUnsigned = word.kind === 'silent' && now - mtimeMs < RECENT_DAYS * DAY_MS;
      return { words: [word], unsigned: isUnsigned ? [name] : [] };
    } catch {
      // It went meanwhile, or belongs to somebody else.
      return { words: [], unsigned: [] };
    }
  });
  const folders = await Promise.all(read);
  return {
    words: folders.flatMap(({ words }) => words),
    unsigned: folders.flatMap(({ unsigned }) => unsigned),
  };
}

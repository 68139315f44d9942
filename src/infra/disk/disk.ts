import { constants } from 'node:fs';
import { access, open, stat, statfs } from 'node:fs/promises';

export interface DiskSpace {
  /** Used of all, 0 to 100, as Python's `shutil.disk_usage` counts. */
  usedPercent: number;
  /** What an ordinary user may still write. */
  freeBytes: number;
  totalBytes: number;
}

/** Space on the file system that holds `path`. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const fs = await statfs(path);
  const totalBytes = fs.blocks * fs.bsize;
  const usedBytes = (fs.blocks - fs.bfree) * fs.bsize;
  return {
    usedPercent: totalBytes > 0 ? (100 * usedBytes) / totalBytes : 0,
    freeBytes: fs.bavail * fs.bsize,
    totalBytes,
  };
}

export type FolderCheck = { kind: 'writable' } | { kind: 'not_writable' | 'full'; reason: string };

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Linux, all architectures that Node supports; Node has no name for it. */
const TEMPORARY_FILE = 0o20000000 | constants.O_DIRECTORY;

/**
 * Whether files can be made in a folder, found out by making one that never has a name: nothing but
 * strax folders may ever lie in the output folder, not even for a moment.
 */
export async function checkWritableFolder(path: string): Promise<FolderCheck> {
  const no = (reason: string, kind: 'not_writable' | 'full' = 'not_writable'): FolderCheck => ({
    kind,
    reason,
  });
  try {
    if (!(await stat(path)).isDirectory()) return no(`${path} is not a folder`);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return no(reasonOf(path, error));
  }
  try {
    const file = await open(path, TEMPORARY_FILE | constants.O_RDWR, 0o600);
    try {
      await file.write(Buffer.alloc(1));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // File systems without nameless files (NFS among them) answer so; then access() has to do.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL'].includes(code)) {
      return no(reasonOf(path, error), FULL.has(code) ? 'full' : 'not_writable');
    }
  }
  return { kind: 'writable' };
}

function reasonOf(path: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `${path} does not exist`;
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be written by this user`;
    case 'EROFS':
      return `${path} is on a file system mounted read-only`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `${path} is on a full file system`;
    default:
      return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import type { ProcessIdentity } from './process-identity.pure.ts';
import { identityOf } from './process-identity.ts';

/** Bit of the flags column of /proc/net/unix: a process listens. */
const LISTENS = 0x10000;

/**
 * The process that listens on an abstract Unix socket, as the kernel knows it: right also when that
 * process is stopped, and never out of date. Null if nobody listens, or a process that this user
 * may not read.
 */
export function ownerOfAbstractSocket(name: string): ProcessIdentity | null {
  const inode = inodeOfListener(readFileSync('/proc/net/unix', 'utf8'), name);
  if (inode === null) return null;
  const owners = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && holds(entry, `socket:[${inode}]`))
    .map((entry) => identityOf(Number(entry)))
    .filter((identity) => identity !== null);
  // A process in the moment between fork and exec still holds its parent's sockets.
  owners.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
  return owners[0] ?? null;
}

/** Inode of the listening socket of that name in the text of /proc/net/unix. */
export function inodeOfListener(text: string, name: string): string | null {
  for (const line of text.split('\n')) {
    const [, , , flags, , , inode, path] = line.trim().split(/\s+/);
    // The NUL in front is shown as "@".
    if (path !== `@${name}`) continue;
    if (inode !== undefined && (Number.parseInt(flags ?? '0', 16) & LISTENS) !== 0) return inode;
  }
  return null;
}

function holds(pid: string, link: string): boolean {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return false;
  }
  return descriptors.some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === link;
    } catch {
      return false;
    }
  });
}

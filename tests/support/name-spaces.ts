import { execFileSync } from 'node:child_process';

import type { Lack } from './lacking.ts';

/** What is in the way of mounting file systems in a name space of one's own. */
export function noMounts(): Lack | null {
  try {
    execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return { why: 'file systems cannot be mounted in a name space of its own here (unshare -rm)' };
  }
}

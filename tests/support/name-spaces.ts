import { execFileSync } from 'node:child_process';

/** Whether this user may mount file systems in a name space of his own. */
export function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

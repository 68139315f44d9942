import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import type { MachineMark } from './host-name.pure.ts';

/** What tells this machine from others, whatever a name server says. */
export function machineMark(): MachineMark {
  return { id: machineId(), name: hostname() };
}

function machineId(): string | null {
  try {
    const text = readFileSync('/etc/machine-id', 'latin1').trim();
    // An image that has not been started yet says "uninitialized".
    return /^[0-9a-f]{32}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}

/** The name space in which process ids seen here mean something. */
export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

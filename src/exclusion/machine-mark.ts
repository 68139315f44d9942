import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import type { MachineMark } from './host-name.pure.ts';

/** Identifies this machine, whatever a name server says. */
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

/** The name space in which the process ids seen here are valid. */
export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

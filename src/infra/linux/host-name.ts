import { execFile } from 'node:child_process';
import { lookup, lookupService } from 'node:dns/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

import { systemClock } from '../clock/clock.ts';
import { TOO_LATE, within } from '../concurrency/deadline.ts';

const run = promisify(execFile);

/** A name server that does not answer must not keep the program from starting. */
const LOOKUP_LIMIT_SECONDS = 10;

/**
 * This machine's name as Python's `socket.getfqdn()` gives it: the first name with a dot among the
 * official name and the aliases of the machine's own address; the official name if none has one;
 * the bare host name if the resolver knows nothing. Takes up to 20 s when name servers are silent.
 */
export async function fullyQualifiedHostName(): Promise<string> {
  const bare = hostname();
  let address: string;
  try {
    ({ address } = await inTime(lookup(bare, { verbatim: true })));
  } catch {
    return bare;
  }
  const names = await namesOf(address);
  return names.find((name) => name.includes('.')) ?? names[0] ?? bare;
}

/** Official name, then aliases. */
async function namesOf(address: string): Promise<string[]> {
  try {
    // Node's resolver gives the official name only; getent calls gethostbyaddr, as Python does.
    const { stdout } = await run('getent', ['hosts', address], {
      timeout: LOOKUP_LIMIT_SECONDS * 1000,
    });
    return stdout.trim().split(/\s+/).slice(1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return [];
  }
  try {
    return [(await inTime(lookupService(address, 0))).hostname];
  } catch {
    return [];
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const answer = await within(systemClock, LOOKUP_LIMIT_SECONDS, work);
  if (answer !== TOO_LATE) return answer;
  throw new Error(`no answer from the resolver within ${LOOKUP_LIMIT_SECONDS} s`);
}

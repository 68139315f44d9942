import { isIP } from 'node:net';

import { isLoopback } from '../address.ts';

/**
 * Whether a request's Host header is a name of ours; the port is ignored. A page of somebody
 * else's can make its own name point here, but no number: so numbers are good wherever others may ask.
 */
export function ownNames(
  address: string,
  names: readonly string[],
): (hostHeader: string) => boolean {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (hostHeader) => {
    const name = nameIn(hostHeader);
    if (isLoopback(name) || known.has(name)) return true;
    return !isLoopback(address) && isIP(name) !== 0;
  };
}

function nameIn(hostHeader: string): string {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(hostHeader)?.[1] ?? '';
  return name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

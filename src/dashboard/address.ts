import { isIP } from 'node:net';

/** Reached from this machine only. */
export function isLoopback(address: string): boolean {
  if (address === 'localhost') return true;
  if (isIP(address) === 4) return address.startsWith('127.');
  return isIP(address) === 6 && address === '::1';
}

/** Whether a request's Host header names this machine as seen from itself; the port is not looked at. */
export function namesLoopback(hostHeader: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(hostHeader)?.[1] ?? '';
  return isLoopback(name.replace(/^\[(.*)\]$/, '$1').toLowerCase());
}

/** As part of a URL. */
export function inUrl(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

import { InvalidArgumentError } from 'commander';

/** A run number as an argument; throws on anything else. */
export function runNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A run number is a whole number.');
}

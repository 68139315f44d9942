import { InvalidArgumentError } from 'commander';

const MOST_HOURS = 24 * 365;

/** A number of hours, above 0. */
export function hours(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= MOST_HOURS) return value;
  throw new InvalidArgumentError('A number of hours, above 0.');
}

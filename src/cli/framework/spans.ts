import { InvalidArgumentError } from 'commander';

const MOST = { hours: 24 * 365, days: 3650 };

/** Reads a number of hours, above 0 and at most `most`. */
export function hoursUpTo(most: number): (text: string) => number {
  return spanUpTo('hours', most);
}

/** A number of hours, above 0 and at most a year. */
export const hours = hoursUpTo(MOST.hours);

/** A number of days, above 0 and at most ten years. */
export const days = spanUpTo('days', MOST.days);

function spanUpTo(unit: string, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && value <= most) return value;
    throw new InvalidArgumentError(`A number of ${unit}, above 0 and at most ${most}.`);
  };
}

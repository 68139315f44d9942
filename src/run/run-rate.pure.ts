import {
  isMissing,
  isObject,
  readClearNumber,
  readNumber,
} from '../infra/values/bson-values.pure.ts';
import type { FieldNotes } from './run-shape.pure.ts';

/** Sum over detectors of the maximal rate, MB/s; null where none is known (section 6.2). */
export function maximalRate(value: unknown, { odd }: FieldNotes): number | null {
  if (isMissing(value)) return null;
  if (!isObject(value)) return odd('rate', 'is not an object', null);
  let sum = 0;
  for (const [detector, rate] of Object.entries(value)) {
    if (isMissing(rate)) continue;
    if (!isObject(rate)) return odd(`rate.${detector}`, 'is not an object', null);
    if (isMissing(rate.max)) continue;
    const max = readClearNumber(rate.max);
    if (max === null) return odd(`rate.${detector}.max`, 'is not a number', null);
    sum += max;
  }
  return sum > 0 && Number.isFinite(sum) ? sum : null;
}

/** Sum over detectors of the average rate, MB/s; values that are no numbers are left out. */
export function averageRate(value: unknown): number | null {
  if (!isObject(value)) return null;
  const averages = Object.values(value).flatMap((rate) => {
    const average = isObject(rate) ? readNumber(rate.avg) : null;
    return average !== null && Number.isFinite(average) ? [average] : [];
  });
  const sum = averages.reduce((all, average) => all + average, 0);
  return averages.length > 0 && Number.isFinite(sum) ? sum : null;
}

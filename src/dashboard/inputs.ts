import { z } from 'zod';

import { CONDITIONS } from '../readmodel/run-condition.pure.ts';

/** Everything that comes from outside, checked: plain values, never a query of a database. */

/** MongoDB's numbers beyond this lose their last digits in JavaScript. */
const MOST_NUMBER = 9_999_999;
const whole = z
  .string()
  .regex(/^\d{1,7}$/, 'must be a whole number of at most seven digits')
  .transform(Number)
  .pipe(z.int().min(0).max(MOST_NUMBER));
const word = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), 'has control characters');

export const runNumberInput = z.strictObject({ run: whole });
export const attemptInput = z.strictObject({
  attempt: z.string().regex(/^[0-9a-f]{24}$/, 'is no attempt id: 24 hexadecimal digits'),
});
export const hostInput = z.strictObject({ host: word });

export const MOST_RUNS_PER_PAGE = 200;

export const runsQuery = z.strictObject({
  condition: z.enum(CONDITIONS).optional(),
  mode: word.optional(),
  detector: word.optional(),
  host: word.optional(),
  tag: word.optional(),
  from: whole.optional(),
  to: whole.optional(),
  before: whole.optional(),
  limit: whole.pipe(z.int().min(1).max(MOST_RUNS_PER_PAGE)).optional(),
});

export const historyQuery = z.strictObject({
  hours: z.enum(['1', '6', '24']).transform(Number).default(6),
});

export const failuresQuery = z.strictObject({
  days: z.enum(['1', '7', '30']).transform(Number).default(7),
});

export const handoverQuery = z.strictObject({
  hours: z.enum(['8', '12', '24']).transform(Number).default(8),
});

export const logQuery = z.strictObject({
  lines: whole.pipe(z.int().min(1).max(5000)).default(500),
});

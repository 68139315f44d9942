import { z } from 'zod';

import { isMissing } from '../infra/values/bson-values.pure.ts';

export type LackKind = 'missing' | 'unreadable' | 'unread';

/** A part of the live data that is missing in the products. */
export interface Lack {
  kind: LackKind;
  /** Name of the chunk's folder: `000012`, or `000012_post` for data that is stored with two chunks. */
  chunk: string;
  reader: string | null;
  /** Size of the file, or of all files of the chunk; null where there is none. */
  bytes: number | null;
  /** Number of rows that could be read from the file. */
  rows: number | null;
  problem: string | null;
}

/** `bootstrax.incomplete` of the run document. */
export interface Incomplete {
  /** Number of parts of each kind; `parts` lists the first of them. */
  missing: number;
  unreadable: number;
  unread: number;
  parts: readonly Lack[];
}

const lackSchema = z.looseObject({
  kind: z.enum(['missing', 'unreadable', 'unread']),
  chunk: z.string(),
  reader: z.string().nullable(),
  bytes: z.number().nullable(),
  rows: z.number().nullable(),
  problem: z.string().nullable(),
});

const incompleteSchema = z.looseObject({
  missing: z.number(),
  unreadable: z.number(),
  unread: z.number(),
  parts: z.array(lackSchema),
});

/** Null if the field is absent or cannot be read. */
export function readIncomplete(said: unknown): Incomplete | null {
  return isMissing(said) ? null : (incompleteSchema.safeParse(said).data ?? null);
}

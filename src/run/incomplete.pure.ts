import { z } from 'zod';

import { isMissing } from '../infra/values/bson-values.pure.ts';

export type LackKind = 'missing' | 'unreadable' | 'unread';

/** A part of the live data that is not in what was made of it. */
export interface Lack {
  kind: LackKind;
  /** Stretch: `000012`, or `000012_post` for what is stored with two chunks. */
  chunk: string;
  reader: string | null;
  /** Of the file, or of all files of the stretch; null where there is none. */
  bytes: number | null;
  /** Rows that could be read of the file. */
  rows: number | null;
  problem: string | null;
}

/** `bootstrax.incomplete` of the run document. */
export interface Incomplete {
  /** Numbers of parts; a list names the first of them. */
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

/** Null if the document says nothing of it, or nothing that can be read. */
export function readIncomplete(said: unknown): Incomplete | null {
  return isMissing(said) ? null : (incompleteSchema.safeParse(said).data ?? null);
}

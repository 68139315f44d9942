import { z } from 'zod';

/**
 * `pictures.json` of an attempt directory, written by rename by the process that makes the pictures of
 * the attempt (`bootstrax_worker/pictures/reader.py`). Whatever is in it is data of a context module:
 * it is shown, and nothing is decided by it.
 */

/** All pictures of a run together. */
export const MOST_PICTURE_BYTES = 200_000;

const axisSchema = z.object({
  label: z.string(),
  unit: z.string(),
  low: z.number(),
  high: z.number(),
  bins: z.int().positive(),
  /** Its bins are equal on a logarithmic scale. */
  log: z.boolean(),
});
export type Axis = z.infer<typeof axisSchema>;

const numbersSchema = z.array(z.number().nullable());

const scalarSchema = z.object({
  label: z.string(),
  unit: z.string(),
  value: z.number().nullable(),
});

const lineSchema = z.object({
  label: z.string(),
  sums: numbersSchema,
  /** A mean is sum over weight; null: it shows the sums. */
  weights: numbersSchema.nullable(),
});
export type PictureLine = z.infer<typeof lineSchema>;

export const pictureSchema = z.object({
  name: z.string(),
  /** Data type that it is made from. */
  type: z.string(),
  shape: z.enum(['histogram', 'histogram2d', 'channels', 'series', 'shares']),
  title: z.string(),
  normal: z.string(),
  otherwise: z.string(),
  version: z.int(),
  /** Entries below which it cannot be judged. */
  minimum: z.number(),
  /** Divided by live time. */
  scaled: z.boolean(),
  value: z.object({ label: z.string(), unit: z.string(), log: z.boolean() }),
  axes: z.object({ x: axisSchema.optional(), y: axisSchema.optional() }),
  /** Channels: at or below this value dead, above this multiple of the neighbours hot. */
  dead: z.number().nullish(),
  hot: z.number().nullish(),
  entries: z.number(),
  /** Entries outside of the axes. */
  outside: z.number(),
  /** Live time in it. */
  seconds: z.number(),
  /** Why it cannot be made. */
  problem: z.string().nullable(),
  /** Of a series: start and width of its bins in seconds since 1970, and live seconds in each. */
  time: z.object({ start: z.number(), step: z.number(), live: z.array(z.number()) }).optional(),
  lines: z.array(lineSchema),
  scalars: z.record(z.string(), scalarSchema),
});
export type Picture = z.infer<typeof pictureSchema>;

export const storedTypeSchema = z.object({
  type: z.string(),
  rows: z.number(),
  /** In memory, not compressed. */
  bytes: z.number(),
  series: z
    .object({
      start: z.number(),
      step: z.number(),
      live: z.array(z.number()),
      rows: numbersSchema,
      bytes: numbersSchema,
    })
    .nullable(),
});
export type StoredType = z.infer<typeof storedTypeSchema>;

export const picturesSchema = z.object({
  version: z.literal(1),
  attempt: z.string(),
  run: z.int(),
  /** The attempt has ended, and all that it stored is in them. */
  final: z.boolean(),
  problem: z.string().nullable(),
  stored: z.array(storedTypeSchema),
  pictures: z.array(pictureSchema),
});
export type Pictures = z.infer<typeof picturesSchema>;

/** What a line shows: a mean, a rate, or a count; null where there is nothing to show. */
export function shownValues(picture: Picture, line: PictureLine): (number | null)[] {
  return line.sums.map((sum, i) => {
    if (sum === null) return null;
    if (line.weights !== null) return ratio(sum, line.weights[i] ?? 0);
    if (picture.time !== undefined) return ratio(sum, picture.time.live[i] ?? 0);
    if (picture.shape === 'shares') return percent(sum, picture.seconds);
    return picture.scaled ? ratio(sum, picture.seconds) : sum;
  });
}

/** Amounts of each bin per live second. */
export function ratesPerSecond(
  amounts: readonly (number | null)[],
  live: readonly number[],
): (number | null)[] {
  return amounts.map((amount, i) => (amount === null ? null : ratio(amount, live[i] ?? 0)));
}

function ratio(sum: number, weight: number): number | null {
  return weight > 0 ? sum / weight : null;
}

function percent(sum: number, seconds: number): number | null {
  const share = ratio(sum, seconds);
  return share === null ? null : 100 * share;
}

/** The edges of an axis: one more than it has bins. */
export function edgesOf({ low, high, bins, log }: Axis): number[] {
  return Array.from({ length: bins + 1 }, (_, i) =>
    log ? low * (high / low) ** (i / bins) : low + ((high - low) * i) / bins,
  );
}

/** The middle of each bin of an axis, on its own scale. */
export function centresOf(axis: Axis): number[] {
  const edges = edgesOf(axis);
  return edges.slice(1).map((edge, i) => {
    const before = edges[i] ?? edge;
    return axis.log ? Math.sqrt(edge * before) : (edge + before) / 2;
  });
}

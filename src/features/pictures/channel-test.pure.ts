import { type Picture, shownValues } from './pictures.pure.ts';

/** Channels of a picture that are not as their neighbours are. */
export interface OddChannels {
  dead: number[];
  hot: number[];
}

/** Neighbours on each side with which a channel is compared. */
const NEIGHBOURS = 8;

/** Which channels are dead or hot, by the first line of a picture; none where it does not ask. */
export function oddChannels(picture: Picture): OddChannels {
  const [line] = picture.lines;
  const first = picture.axes.x?.low ?? 0;
  if (picture.shape !== 'channels' || line === undefined) return { dead: [], hot: [] };
  const values = shownValues(picture, line);
  const isDead = (value: number | null) =>
    picture.dead != null && (value === null || value <= picture.dead);
  const alive = values.map((value) => (isDead(value) ? null : value));
  const chosen = (fits: (value: number | null, i: number) => boolean) =>
    values.flatMap((value, i) => (fits(value, i) ? [first + i] : []));
  return {
    dead: chosen(isDead),
    hot: chosen((value, i) => {
      if (picture.hot == null || value === null || isDead(value)) return false;
      const median = medianOf(neighboursOf(alive, i));
      return median !== null && median > 0 && value > picture.hot * median;
    }),
  };
}

function neighboursOf(values: readonly (number | null)[], i: number): number[] {
  return values
    .slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1)
    .filter((value, j): value is number => value !== null && j !== Math.min(i, NEIGHBOURS));
}

/** The middle value; null of none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle ?? null;
}

/** Places for attempts. */
export interface Places {
  total: number;
  free: number;
  /** Why none is free; null if one is. */
  why: string | null;
}

/** The free slots, of this number in all and this number taken. */
export function freePlaces(total: number, taken: number): Places {
  const free = Math.max(0, total - taken);
  const all = total === 1 ? 'its only place is taken' : `all ${total} places are taken`;
  return { total, free, why: free > 0 ? null : all };
}

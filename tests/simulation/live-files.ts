import type { Input } from '../../src/attempt/attempt.pure.ts';
import type { Random } from './random.ts';

/** What is wrong with the files of a run's live data. */
export interface Damage {
  /** Files that are cut. */
  readonly cut: number;
  /** Files that never come. */
  readonly missing: number;
  /** When the last of the others is there, ms since 1970. */
  readonly lateMs: number;
}

/** What is not in what was made of the live data. */
export interface Lacks {
  readonly unreadable: number;
  readonly missing: number;
}

export const UNDAMAGED: Damage = { cut: 0, missing: 0, lateMs: -Infinity };

/** Of a run that ends at this time. */
export function anyDamage(random: Random, endMs: number): Damage {
  return random.pick<Damage>([
    UNDAMAGED,
    { ...UNDAMAGED, cut: 1 + random.int(3) },
    { ...UNDAMAGED, missing: 1 + random.int(3) },
    { ...UNDAMAGED, lateMs: endMs + random.between(0, 120) * 1000 },
    { cut: random.int(2), missing: random.int(2), lateMs: endMs + random.between(0, 60) * 1000 },
  ]);
}

/** What who reads all of it at this time does not find: strax goes on without a file that is not there. */
export function atRead({ cut, missing, lateMs }: Damage, nowMs: number): Lacks {
  return { unreadable: cut, missing: missing + (nowMs < lateMs ? 1 : 0) };
}

/** As an attempt accounts for it. */
export function accountOf({ unreadable, missing }: Lacks): Input {
  const files = (count: number) => Array.from({ length: count }, (_, i) => `reader0_${i}`);
  return {
    accounted: true,
    ...{ chunks: 1, files: 10, bytes: 1000, rows: 10 },
    missing: files(missing).map((reader) => ({ chunk: '000000', reader, files: 1 })),
    missingCount: missing,
    unreadable: files(unreadable).map((file) => ({
      ...{ chunk: '000000', reader: 'reader0', file, bytes: 100, rows: 1, problem: 'cut' },
    })),
    unreadableCount: unreadable,
    ...{ unread: [], unreadCount: 0, quiet: [] },
  };
}

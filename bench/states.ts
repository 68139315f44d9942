import { Release, releaseMissing } from '../tests/support/release.ts';
import { median, printTable, upperLimitOfMedian } from './figures.ts';

/** A state of the program that is measured. */
export interface State {
  name: string;
  /** Root of its release; absent: this checkout. */
  release?: string;
}

/** Gives `work` this state and, unless `against` is null, the release of this version beside it. */
export async function withStates(
  against: string | null,
  work: (states: readonly State[]) => Promise<void>,
): Promise<void> {
  if (against === null) return work([{ name: 'now' }]);
  const missing = releaseMissing(against);
  if (missing !== null) throw new Error(missing.why);
  const release = await Release.build(against);
  try {
    await work([{ name: 'now' }, { name: against, release: release.path }]);
  } finally {
    await release.remove();
  }
}

/** Each is the first as often as the others: what one leaves to the next is then no advantage. */
export function inTurn<T>(sides: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? sides : sides.toReversed();
}

/** Prints the ratios pair by pair, of figures of this state and of the release, and answers them. */
export function printRatios<Name extends string>(
  title: string,
  version: string,
  labels: Readonly<Record<Name, string>>,
  rounds: readonly (readonly Record<Name, number>[])[],
): Record<string, unknown> {
  const names = Object.keys(labels) as Name[];
  const pairs = rounds.map(([now, before]) => {
    if (now === undefined || before === undefined) throw new Error('a round is of two states');
    return [now, before] as const;
  });
  const figures = names.map((name) => {
    const ratios = pairs.map(([now, before]) => now[name] / before[name]);
    return {
      name,
      now: median(pairs.map(([now]) => now[name])),
      before: median(pairs.map(([, before]) => before[name])),
      ratio: median(ratios),
      upper: upperLimitOfMedian(ratios),
    };
  });
  printTable(
    `${title}, against ${version}, ${pairs.length} pairs`,
    ['', 'now', version, 'ratio', 'upper 95 % limit of the median ratio'],
    figures.map(({ name, now, before, ratio, upper }) => [
      ...[labels[name], now, before, ratio, upper],
    ]),
  );
  return Object.fromEntries(figures.map(({ name, ...rest }) => [name, rest]));
}

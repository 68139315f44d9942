import type { Settings } from '../../../infra/config/entries.ts';
import { counted } from '../../../infra/values/counted.pure.ts';
import type { RunView } from '../../../run/run-view.pure.ts';
import { duration, style, table } from '../../framework/output.ts';

/** What became of the demo's runs, and how to load their data. */
export function summary(runs: readonly RunView[], { paths }: Settings): string {
  if (runs.length === 0) return 'No run has been taken yet.';
  const drawn = table(
    ['run', 'mode', 'length', 'state', 'done after its end', 'stored'],
    runs.map(({ run, mode, seconds, state, settledAfterSeconds, stored }) => [
      String(run ?? '?'),
      mode ?? '-',
      seconds === null ? '-' : duration(seconds),
      state === 'done' ? style('green', state) : (state ?? 'new'),
      state === 'done' && settledAfterSeconds !== null
        ? `${settledAfterSeconds.toFixed(1)} s`
        : '-',
      stored.length === 0 ? '-' : counted(stored.length, 'data type'),
    ]),
  );
  return `${drawn}\n\nThe data lies in ${paths.output}`;
}

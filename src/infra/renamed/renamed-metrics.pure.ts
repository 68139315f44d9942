import type { Family } from '../metrics/exposition.pure.ts';
import { RENAMED_METRICS } from './renamed-names.pure.ts';

/** The same families; each that was renamed is followed by a copy under its former name. */
export function withFormerNames(families: readonly Family[]): Family[] {
  return families.flatMap((family) => {
    const former = RENAMED_METRICS[family.name];
    if (former === undefined) return [family];
    const help = `Former name of ${family.name}, sent until 0.3.0.`;
    return [family, { ...family, name: former, help }];
  });
}

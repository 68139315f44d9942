import { useCallback, useEffect, useState } from 'preact/hooks';

import { useChanges } from './live.ts';

/**
 * Reads again `afterMs` after the first change of a run. More changes during this wait cause no further
 * reading and no delay.
 */
export function useReloadOnChange(reload: () => void, afterMs: number): void {
  const [due, setDue] = useState(false);
  useChanges(useCallback(() => setDue(true), []));
  useEffect(() => {
    if (!due) return;
    const timer = setTimeout(() => {
      setDue(false);
      reload();
    }, afterMs);
    return () => clearTimeout(timer);
  }, [due, reload, afterMs]);
}

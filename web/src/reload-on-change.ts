import { useCallback, useEffect, useState } from 'preact/hooks';
import { useChanges } from './live.ts';

/**
 * Reads again soon after a run has changed, ms; however many change meanwhile, once. A change during the
 * wait puts nothing off.
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

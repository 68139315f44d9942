import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import type { ErrorAnswer } from '../../src/readmodel/api.ts';
import { begin } from './background.ts';
import { databaseProblem, type Freshness, useLive } from './live.ts';
import { sessionHasEnded } from './session.ts';
import { useVisible } from './visible.ts';

export interface Resource<T> extends Freshness {
  data: T | null;
  /** What the server says, if there is no such run or host. */
  missing: string | null;
  reload: () => void;
}

interface State<T> {
  url: string;
  data: T | null;
  readAtMs: number;
  problem: string | null;
  missing: string | null;
}

/** Reads an address of the API at an interval; the last answer stays while the server gives none. */
export function useResource<T>(url: string | null, everySeconds: number): Resource<T> {
  useLive();
  const [state, setState] = useState<State<T> | null>(null);
  const visible = useVisible();
  const running = useRef<AbortController | null>(null);

  const load = useCallback(async () => {
    if (url === null) return;
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    const at = performance.now();
    try {
      const answer = await fetch(url, { signal: abort.signal });
      if (answer.ok) {
        const data = (await answer.json()) as T;
        setState({ url, data, readAtMs: at, problem: null, missing: null });
        return;
      }
      if (answer.status === 401) sessionHasEnded();
      const { error } = (await answer.json()) as ErrorAnswer;
      const missing = answer.status === 404 || answer.status === 400 ? error : null;
      setState((old) => ({ ...keep(old, url), problem: error, missing }));
    } catch (error) {
      if (abort.signal.aborted) return;
      setState((old) => ({ ...keep(old, url), problem: String(error), missing: null }));
    }
  }, [url]);

  useEffect(() => {
    begin(load());
    const timer = visible ? setInterval(() => begin(load()), everySeconds * 1000) : undefined;
    return () => {
      clearInterval(timer);
      running.current?.abort();
    };
  }, [load, everySeconds, visible]);

  const reload = useCallback(() => begin(load()), [load]);
  const current = state?.url === url ? state : null;
  const ageSeconds = current?.data == null ? null : (performance.now() - current.readAtMs) / 1000;
  const why = current?.problem ?? databaseProblem();
  return {
    data: current?.data ?? null,
    ageSeconds,
    stale: ageSeconds !== null && (why !== null || ageSeconds > everySeconds * 3 + 5),
    why,
    missing: current?.missing ?? null,
    reload,
  };
}

function keep<T>(old: State<T> | null, url: string): State<T> {
  return old?.url === url ? old : { url, data: null, readAtMs: 0, problem: null, missing: null };
}

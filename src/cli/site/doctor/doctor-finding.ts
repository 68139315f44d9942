/** One thing that was checked. */
export interface Finding {
  check: string;
  state: 'ok' | 'warn' | 'problem';
  says: string;
  /** What to do; null if nothing. */
  todo: string | null;
}

import { idText } from '../run/document-id.ts';
import type { RunHint } from '../run/run.port.ts';
import type { Environment } from '../ports/environment.ts';

/** So long each host leaves a run to the one that is to try it before, seconds. */
const LEFT_TO_EACH_SECONDS = 0.3;
/** Of what may or may not be to be taken, only so many hosts make sure. */
const MAKE_SURE = 2;

/** What an update of a run says to a host that looks for work. */
export type HintMeaning =
  /** It can be taken. */
  | 'free'
  /** It may be: now, later, or not at all. */
  | 'perhaps'
  /** Somebody has it, or it is finished. */
  | 'taken'
  /** Nothing. */
  | 'nothing';

/** Fields that keep a run back or bring it back. */
const DECIDES = ['bootstrax.next_retry', 'bootstrax.n_failures', 'bootstrax'];

export function hintMeaning({ kind, touched, state }: RunHint): HintMeaning {
  if (kind === 'insert') return 'free';
  if (state === null) return 'free';
  if (state === 'failed') return 'perhaps';
  if (state !== undefined) return 'taken';
  const decides = touched.some((field) => field.startsWith('tags') || DECIDES.includes(field));
  return decides ? 'perhaps' : 'nothing';
}

/**
 * Runs that a change stream has told of and that other hosts are to try first: looked at when they
 * have had the time and nobody has taken them.
 */
export class Prospects {
  readonly #env: Pick<Environment, 'clock' | 'tasks'>;
  readonly #rank: (key: string) => number;
  readonly #ring: () => void;
  readonly #left = new Set<string>();

  /** `ring` is called when a run has been left to others for long enough. */
  constructor(
    env: Pick<Environment, 'clock' | 'tasks'>,
    rank: (key: string) => number,
    ring: () => void,
  ) {
    this.#env = env;
    this.#rank = rank;
    this.#ring = ring;
  }

  /** Whether this host is to look at once. */
  hinted(hint: RunHint): boolean {
    const key = idText(hint.id);
    const meaning = hintMeaning(hint);
    if (meaning === 'taken') this.#left.delete(key);
    if (meaning === 'taken' || meaning === 'nothing') return false;
    const rank = this.#rank(key);
    if (rank === 0) return true;
    if (meaning === 'perhaps' && rank >= MAKE_SURE) return false;
    if (this.#left.has(key)) return false;
    this.#left.add(key);
    const { clock, tasks } = this.#env;
    tasks.start('a run that is left to other hosts first', async () => {
      await clock.sleep(rank * LEFT_TO_EACH_SECONDS, tasks.signal);
      if (this.#left.delete(key) && !tasks.signal.aborted) this.#ring();
    });
    return false;
  }
}

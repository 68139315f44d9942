import type { Environment } from '../ports/environment.ts';
import { idText } from '../run/document-id.ts';
import type { RunHint } from '../run/run.port.ts';

/** How long a host leaves a run to each host that comes before it. */
const LEFT_TO_EACH_SECONDS = 0.3;
/** Number of hosts that check a run of which the hint leaves open whether it can be claimed. */
const MAKE_SURE = 2;

/** What a hint about a run means for a host with a free slot. */
export type HintMeaning =
  /** The run can be claimed. */
  | 'free'
  /** The run may be claimed: now, later, or not at all. */
  | 'perhaps'
  /** The run has a holder or is done. */
  | 'taken'
  /** The hint does not matter. */
  | 'nothing';

/** Fields that decide whether a run may be claimed. */
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
 * Runs named by the change stream that other hosts are to claim first. This host checks a run when they
 * have had their time and none has claimed it.
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

  /** Whether this host is to poll at once. */
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

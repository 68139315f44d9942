import { attemptOfJob, hostOf } from './job-name.pure.ts';

/** Columns of `squeue -o`; the name comes last, since a job of anybody may have a `|` in its name. */
export const LISTING_FORMAT = '%i|%T|%r|%N|%S|%Q|%M|%l|%P|%k|%j';

/** A job of an attempt as Slurm lists it. */
export interface ListedJob {
  id: string;
  attempt: string;
  /** Slurm's word, in capitals. */
  state: string;
  /** Why it waits or has ended; null where Slurm gives none. */
  reason: string | null;
  /** Where it runs or has run; null before. */
  node: string | null;
  /** Slurm's forecast while it waits; local time of the cluster as Slurm writes it. */
  start: string | null;
  priority: number | null;
  partition: string;
  /** Whose manager submitted it; null: none of ours. */
  host: string | null;
}

const COLUMNS = LISTING_FORMAT.split('|').length;
const NOTHING = new Set(['', 'None', 'N/A', '(null)', 'Unknown']);

/**
 * Jobs of attempts in the output of `squeue -h -o LISTING_FORMAT`; jobs of anybody else are left out.
 *
 * @throws {Error} if a line is none of such a listing: half an answer is no answer.
 */
export function parseListing(text: string): ListedJob[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => jobOf(line));
}

function jobOf(line: string): ListedJob[] {
  const parts = line.split('|');
  if (parts.length < COLUMNS || !/^\d/.test(line)) {
    throw new Error(`squeue gave a line that is no job: ${JSON.stringify(line.slice(0, 200))}`);
  }
  const [id, state, reason, node, start, priority, , , partition, comment, ...name] = parts;
  const attempt = attemptOfJob(name.join('|'));
  if (attempt === null) return [];
  return [
    {
      ...{ id: id ?? '', attempt, state: state ?? '', partition: partition ?? '' },
      host: hostOf(comment ?? ''),
      ...{ reason: given(reason), node: given(node), start: given(start) },
      priority: /^\d+$/.test(priority ?? '') ? Number(priority) : null,
    },
  ];
}

function given(text: string | undefined): string | null {
  return text === undefined || NOTHING.has(text) ? null : text;
}

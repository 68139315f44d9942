import { utcToTheSecond } from '../../infra/values/utc.pure.ts';

/** What became of the live data of a run, as far as people read of it. */
export interface DeletionStory {
  host: string;
  state: 'checking' | 'deleting' | 'done' | 'refused';
  problem: string | null;
  cause: string | null;
  ended: Date | null;
  vouchedBy: readonly { type: string }[];
  bytesFreed: number | null;
}

/** One sentence about a deletion. */
export function deletionInWords(deletion: DeletionStory): string {
  const { host, state, problem, cause, ended, vouchedBy, bytesFreed } = deletion;
  const waits = problem === null ? '' : `; it waits: ${problem}`;
  switch (state) {
    case 'checking':
      return `Live data: ${host} checks whether its products stand in for it${waits}.`;
    case 'deleting':
      return `Live data: being deleted by ${host}${waits}.`;
    case 'refused':
      return `Live data: stays; ${host} refused to delete it: ${cause ?? 'no cause is known'}.`;
    case 'done': {
      const when = ended === null ? '' : ` at ${utcToTheSecond(ended)} UTC`;
      const freed = bytesFreed === null ? '' : `, ${(bytesFreed / 1e9).toFixed(2)} GB`;
      const types = vouchedBy.map(({ type }) => type).join(', ');
      return `Live data: deleted by ${host}${when}${freed}; ${types} stand in for it.`;
    }
  }
}

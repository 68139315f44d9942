import { utcToTheSecond } from '../../infra/values/utc.pure.ts';

/** The fields of a deletion that people see. */
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
      return `Live data: ${host} checks the products that replace it${waits}.`;
    case 'deleting':
      return `Live data: ${host} is deleting it${waits}.`;
    case 'refused':
      return `Live data: it stays, because ${host} refused to delete it: ${cause ?? 'no cause is known'}.`;
    case 'done': {
      const when = ended === null ? '' : ` at ${utcToTheSecond(ended)} UTC`;
      const freed = bytesFreed === null ? '' : `, ${(bytesFreed / 1e9).toFixed(2)} GB`;
      const types = vouchedBy.map(({ type }) => type).join(', ');
      return `Live data: deleted by ${host}${when}${freed}; ${types} replace it.`;
    }
  }
}

import { join } from 'node:path';

/** Where attempts write, and the folder into which their products are renamed. */
export interface Folders {
  staging: string;
  output: string;
}

/** The place of an attempt: the folder to which it alone writes. */
export function placeIn(stagingDirectory: string, attempt: string): string {
  return join(stagingDirectory, attempt);
}

/** Why attempts cannot write where they are told to. */
export type StagingProblem =
  /** Other programs take the name of each folder in the output folder for a run. */
  | { kind: 'inside' }
  /** No rename leads from one to the other. */
  | { kind: 'apart'; isMountPoint: boolean }
  | { kind: 'refused'; reason: string };

/** What is wrong. */
export function stagingSays({ staging, output }: Folders, problem: StagingProblem): string {
  switch (problem.kind) {
    case 'inside':
      return `attempts would write to ${staging}, which lies in the output folder ${output}: other programs take each folder there for data of a run`;
    case 'apart': {
      const why = problem.isMountPoint
        ? 'the output folder is itself a mount point, so the folders beside it are on another file system'
        : 'they are on different file systems';
      return `folders cannot be renamed from ${staging}, where attempts write, to the output folder ${output}: ${why}`;
    }
    case 'refused':
      return `folders cannot be renamed from ${staging}, where attempts write, to the output folder ${output}: ${problem.reason}`;
  }
}

/** What to do about it. */
export function stagingTodo({ staging, output }: Folders, problem: StagingProblem): string {
  const set = `set paths.staging (BOOTSTRAX_STAGING) to a folder on the same mount as ${output} and not inside it`;
  const below = `give paths.output a sub-folder of that file system, such as ${join(output, 'processed')}`;
  switch (problem.kind) {
    case 'inside':
      return set;
    case 'apart':
      return `${set}, or ${below}`;
    case 'refused':
      return `give this user the right to write to ${staging}, or ${set}, or ${below}`;
  }
}

/** Both, as a host says why it takes no run. */
export function stagingText(folders: Folders, problem: StagingProblem): string {
  return `${stagingSays(folders, problem)}. To correct it, ${stagingTodo(folders, problem)}`;
}

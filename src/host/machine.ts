import type { ChunkFiles } from '../attempt/movement.pure.ts';
import type { RunFolders, StraxProcess } from '../attempt/process/foreign-processes.pure.ts';
import type { RunHere } from '../attempt/process/strax-processes.ts';
import type { DiskSpace, FolderCheck } from '../infra/disk/disk.ts';
import type { MachineLoad } from '../infra/linux/load.ts';
import type { LiveLook } from '../retry/unmendable.pure.ts';
import type { MemoryCapacity } from './memory.pure.ts';

/** The machine that a manager runs on, as the manager uses it. */
export interface Machine {
  /** Space on the file system that holds `path`; fails within seconds when that hangs. */
  diskSpace(path: string): Promise<DiskSpace>;
  /** Whether files can be made in a folder. */
  checkWritableFolder(path: string): Promise<FolderCheck>;
  /** Why a folder cannot be read, as an error code or in words; null if it can. */
  unreadable(path: string): Promise<string | null>;
  /** Whether there is a folder of this name. */
  isFolder(path: string): Promise<boolean>;
  /**
   * What there is of the live data of a run, in the folder of that run. `thorough`: what it is known
   * by changes also when files within its chunks come or go.
   */
  liveData(path: string, options?: { thorough?: boolean }): Promise<LiveLook>;
  /** The files that strax needs for a chunk of a run, in the folder of that run; null: it cannot be read. */
  chunkFiles(path: string, chunk: number): Promise<ChunkFiles | null>;
  /** Memory that there is and that is left. */
  memoryCapacity(): MemoryCapacity;
  /** Processes that are provably of strax, and not of this attempt. */
  straxProcesses(here: RunHere): StraxProcess[];
  /** What strax has begun of a run in the output folder, and not finished. */
  unfinishedFolders(here: RunHere): Promise<Omit<RunFolders, 'wasHere'>>;
  /** Begins to measure the load; each call of the answer reads it. */
  meterLoad(): () => MachineLoad;
}

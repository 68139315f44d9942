import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import { checkWritableFolder, diskSpace } from './disk.ts';
import { isAlive } from './identity.ts';
import { LoadMeter } from './load.ts';
import { memoryCapacity, MemoryMeter } from './memory.ts';
import { endSession } from './processes.ts';
import type { Machine } from './types.ts';

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  isAlive,
  endSession,
  diskSpace,
  checkWritableFolder,
  unreadable: async (path) => {
    try {
      await access(path, constants.R_OK | constants.X_OK);
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  },
  isFolder: async (path) => {
    try {
      return (await stat(path)).isDirectory();
    } catch {
      return false;
    }
  },
  memoryCapacity,
  meterMemory: () => {
    const meter = new MemoryMeter();
    return (attempt, limitBytes) => meter.read(attempt, limitBytes);
  },
  meterLoad: () => {
    const meter = new LoadMeter();
    return () => meter.read();
  },
};

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import { readChunkFiles } from '../attempt/files/chunk-files.ts';
import { lookAtLiveFolder } from '../attempt/files/live-folder.ts';
import { straxProcesses, unfinishedFolders } from '../attempt/process/strax-processes.ts';
import { systemClock } from '../infra/clock/clock.ts';
import { checkWritableFolder, diskSpace } from '../infra/disk/disk.ts';
import { DiskTimeout, NoAnswerError } from '../infra/disk/disk-timeout.ts';
import { LoadMeter } from '../infra/linux/load.ts';
import type { Machine } from './machine.ts';
import { memoryCapacity } from './memory.ts';

/** A healthy file system answers within milliseconds, a busy one within a few seconds. */
const timeout = new DiskTimeout(10);

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  diskSpace: (path) => timeout.ask(path, () => diskSpace(path)),
  checkWritableFolder: async (path) => {
    try {
      return await timeout.ask(path, () => checkWritableFolder(path));
    } catch (error) {
      if (error instanceof NoAnswerError) return { kind: 'not_writable', reason: error.message };
      throw error;
    }
  },
  unreadable: async (path) => {
    try {
      await timeout.ask(path, () => access(path, constants.R_OK | constants.X_OK));
      return null;
    } catch (error) {
      if (error instanceof NoAnswerError) return 'it does not answer';
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
  liveData: async (path, { thorough = false } = {}) => {
    try {
      return await timeout.ask(path, () => lookAtLiveFolder(path, thorough));
    } catch (error) {
      if (error instanceof NoAnswerError) return { kind: 'unseen', why: error.message };
      throw error;
    }
  },
  chunkFiles: async (path, chunk) => {
    try {
      return await timeout.ask(path, () => readChunkFiles(path, chunk));
    } catch (error) {
      if (error instanceof NoAnswerError) return null;
      throw error;
    }
  },
  straxProcesses,
  unfinishedFolders: (here) => unfinishedFolders(here, systemClock.now().getTime()),
  memoryCapacity,
  meterLoad: () => {
    const meter = new LoadMeter();
    return () => meter.read();
  },
};

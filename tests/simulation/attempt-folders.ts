import { basename, dirname } from 'node:path';

import { PROTOCOL_VERSION } from '../../src/attempt/attempt.pure.ts';
import type { Attempts, Products } from '../../src/attempt/attempt-files.ts';
import type { AttemptFiles } from '../../src/attempt/files/attempt-directory.ts';
import type { Leftover } from '../../src/attempt/files/leftovers.ts';
import type { Inspection } from '../../src/attempt/files/products.ts';
import { attemptAt, type AttemptFolder, type OutputFolder } from './disk.ts';
import { Following } from './following.ts';
import type { SimulatedHost } from './host.ts';
import type { Process } from './process.ts';

/** What one access to the disk takes at most, seconds. */
const ACCESS_SECONDS = 0.004;

/** The attempt directories of a host as its manager's process reaches them. */
export function attemptsOf(host: SimulatedHost, process: Process, state: string): Attempts {
  const { disk, random } = host;
  const access = () => process.wait(random.between(0, ACCESS_SECONDS));
  const folderAt = (directory: string) => disk.attempts.get(attemptAt(directory));
  const followed = new Set<string>();

  const mark = async (directory: string, name: 'superseded' | 'concluded') => {
    await access();
    const folder = folderAt(directory);
    if (folder === undefined) throw new Error(`${directory} is not there`);
    const force = disk.write(folder, name, true);
    await access();
    force();
  };

  return {
    newId: () => random.hex(24),
    directoryOf: (id) => `${state}/attempts/${id}`,
    checkFolder: () => Promise.resolve({ kind: 'writable' }),
    create: async (plan) => {
      await access();
      const { folder, force: forceName } = disk.folder(plan.attempt, state);
      folder.followedAt = host.time.seconds;
      await access();
      const force = disk.write(folder, 'plan', plan);
      await access();
      force();
      await access();
      forceName();
      return `${state}/attempts/${plan.attempt}`;
    },
    listOpen: async () => {
      await access();
      return [...disk.attempts.values()]
        .filter((folder) => folder.state === state && !folder.concluded)
        .map(({ id }) => id);
    },
    read: async (id) => {
      await access();
      const folder = disk.attempts.get(id);
      if (folder?.state !== state) return null;
      const isNew = host.looksTwice || !followed.has(id);
      return isNew ? filesOf(folder) : { ...filesOf(folder), result: null, exit: null };
    },
    foldersOf: async (directory) => {
      await access();
      return (folderAt(directory)?.progress ?? []).flatMap(({ folder }) => folder ?? []);
    },
    follow: (directory, reach, handlers, signal) => {
      followed.add(attemptAt(directory));
      return new Following({ host, process, id: attemptAt(directory), reach, handlers, signal });
    },
    touchFollowed: async (directory) => {
      await access();
      const folder = folderAt(directory);
      if (folder !== undefined) folder.followedAt = host.time.seconds;
    },
    boundLog: () => Promise.resolve(),
    noteEnding: async (directory, ended) => {
      await access();
      const folder = folderAt(directory);
      if (folder === undefined) throw new Error(`${directory} is not there`);
      const attempt = folder.id;
      const force = disk.write(folder, 'ending', { version: PROTOCOL_VERSION, attempt, ended });
      await access();
      force();
    },
    notePublishing: async (directory, locations) => {
      await access();
      const folder = folderAt(directory);
      if (folder === undefined) throw new Error(`${directory} is not there`);
      const force = disk.write(folder, 'publishing', {
        version: PROTOCOL_VERSION,
        attempt: folder.id,
        locations: [...locations],
      });
      await access();
      force();
    },
    markSuperseded: (directory) => mark(directory, 'superseded'),
    markConcluded: (directory) => mark(directory, 'concluded'),
    prune: () => Promise.resolve([]),
  };
}

function filesOf(folder: AttemptFolder): AttemptFiles {
  const { progress, followedAt, state, ...files } = folder;
  return { ...files, directory: `${state}/attempts/${folder.id}`, problems: [] };
}

/** Strax folders of a host as its manager's process reaches them. */
export function productsOf(host: SimulatedHost, process: Process): Products {
  const { disk, random } = host;
  const access = () => process.wait(random.between(0, ACCESS_SECONDS));
  const ofRun = (folder: string, runId: string) =>
    [...disk.output.values()].filter(
      (each) => each.runId === runId && dirname(each.location) === folder,
    );
  const putBack = async (item: string) => {
    await access();
    const taken = disk.output.get(item)?.taken;
    const force = taken == null ? null : disk.publishOutput(item, taken.from);
    if (force === false) return false;
    await access();
    force?.();
    return true;
  };
  const tidyTrash = async (place: string) => {
    await access();
    const stays: string[] = [];
    for (const { location, taken } of [...disk.output.values()]) {
      if (taken == null || dirname(dirname(location)) !== place) continue;
      if (!taken.doomed) {
        if (!(await putBack(location))) stays.push(location);
        continue;
      }
      disk.removeOutput(location);
      await access();
      disk.forceRemovals();
    }
    return stays;
  };
  return {
    stagingProblem: () => Promise.resolve(null),
    makePlace: access,
    removePlace: async (place) => {
      await tidyTrash(place);
      await access();
      for (const { location } of [...disk.output.values()]) {
        if (dirname(location) !== place) continue;
        host.removes(location);
        disk.removeOutput(location);
      }
      await access();
      disk.forceRemovals();
    },
    publish: async (from, to, attempt) => {
      await access();
      const force = disk.publishOutput(from, to);
      if (force === null || force === false) {
        const word = disk.output.get(to)?.word ?? { kind: 'torn' };
        if (word.kind === 'says' && word.attempt === attempt) return { kind: 'published' };
        return force === null ? { kind: 'gone' } : { kind: 'in_the_way', word };
      }
      return { kind: 'published' };
    },
    forcePublished: async () => {
      await access();
      disk.forceNames();
    },
    placesIn: async (staging) => {
      await access();
      const places = [...disk.output.values()].map(({ location }) => dirname(location));
      return [...new Set(places.filter((place) => dirname(place) === staging))].map((place) =>
        basename(place),
      );
    },
    foldersIn: async (place) => {
      await access();
      return [...disk.output.values()]
        .filter(({ location }) => dirname(location) === place)
        .map(({ location, runId, finished, word }) => {
          return { name: basename(location), runId, unfinished: !finished, word };
        });
    },
    wordOf: async (location) => {
      await access();
      return disk.output.get(location)?.word ?? { kind: 'torn' };
    },
    inspect: async (folder, runId) => {
      await access();
      const inspection: Inspection = { products: [], unfinished: [] };
      for (const { finished, location, type, product } of ofRun(folder, runId)) {
        if (!finished) inspection.unfinished.push(`${location}_temp`);
        else {
          inspection.products.push({
            product,
            type,
            location,
            lineageHash: 'hash',
            firstChunkRows: 10,
            problems: [],
          });
        }
      }
      return inspection;
    },
    leftovers: async (output, runId) => {
      await access();
      return ofRun(output, runId).map(leftoverOf);
    },
    activity: async (path) => {
      await access();
      const at = path.replace(/_temp$/, '');
      const folders = [...disk.output.values()].filter(
        ({ location }) => location === at || dirname(location) === at,
      );
      const changedAt = Math.max(...folders.map((folder) => folder.changedAt));
      const quietSeconds = host.time.seconds - changedAt;
      const nowMs = host.time.nowMs + host.skewSeconds * 1000;
      return { newestMs: nowMs - quietSeconds * 1000, openBy: [] };
    },
    takeAway: async ({ place, host: by }, _runId, seen) => {
      await access();
      const there = disk.output.get(seen.location);
      if (there?.finished !== !seen.unfinished) return { kind: 'gone' };
      const isSeen = there.inode === seen.inode;
      if (isSeen) host.removes(seen.location);
      const { item, force } = disk.takeOutput(seen.location, place, by)!;
      await access();
      force();
      await access();
      if (isSeen) return { kind: 'taken', path: item };
      return (await putBack(item)) ? { kind: 'changed' } : { kind: 'stays', path: item };
    },
    destroy: async (_trash, item) => {
      await access();
      if (!disk.doomOutput(item)) return false;
      await access();
      disk.removeOutput(item);
      await access();
      disk.forceRemovals();
      return true;
    },
    keepInPlace: async ({ place }, item) => {
      await access();
      const { taken } = disk.output.get(item) ?? {};
      if (taken == null) return false;
      const force = disk.publishOutput(item, `${place}/${basename(taken.from)}`);
      if (force === null || force === false) return false;
      await access();
      force();
      return true;
    },
    putBack: (_trash, item) => putBack(item),
    putBackCondemned: () => Promise.resolve(false),
    tidyTrash,
    trashBelow: async (staging) => {
      await access();
      const found = new Map<string, string>();
      for (const { location, taken } of disk.output.values()) {
        const place = dirname(dirname(location));
        if (taken != null && dirname(place) === staging) found.set(place, taken.host);
      }
      return [...found].map(([place, by]) => ({ place, host: by }));
    },
  };
}

function leftoverOf({ location, runId, type, finished, inode, word }: OutputFolder): Leftover {
  const path = finished ? location : `${location}_temp`;
  const named = { location, path, unfinished: !finished, condemned: false };
  return { ...named, runId, type, lineageHash: 'hash', inode, word };
}

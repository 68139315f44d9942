import type { Reach } from '../executors/reach.ts';
import type { FolderCheck } from '../infra/disk/disk.ts';
import type { Ended, Folder, Plan } from './attempt.pure.ts';
import type { AttemptFiles, Retention } from './files/attempt-directory.ts';
import type { FolderInPlace } from './files/finished-place.pure.ts';
import type { Leftover } from './files/leftovers.ts';
import type { FolderActivity, FolderWord } from './files/ownership.pure.ts';
import type { Published } from './files/place.ts';
import type { Inspection } from './files/products.ts';
import type { Folders, StagingProblem } from './files/staging.pure.ts';
import type { Taken, Trash } from './files/trash.ts';
import type { Follower, FollowHandlers } from './process/follow.ts';

/** The attempt directories of one host, as the manager uses them. */
export interface Attempts {
  /** A fresh attempt id: 24 hexadecimal digits. */
  newId(): string;
  /** Where the files of an attempt lie, whether they are there or not. */
  directoryOf(id: string): string;
  /** Whether an attempt could be begun here. */
  checkFolder(): Promise<FolderCheck>;
  /** Makes the directory of a planned attempt, on disk when this returns; answers its path. */
  create(plan: Plan): Promise<string>;
  /** Ids of the attempts whose outcome is not in the databases yet. */
  listOpen(): Promise<string[]>;
  /** What the directory says, whatever state it is in; null if there is none. */
  read(id: string): Promise<AttemptFiles | null>;
  /** Folders that an attempt announced in its progress. */
  foldersOf(directory: string): Promise<Folder[]>;
  follow(
    directory: string,
    reach: Pick<Reach, 'life'>,
    handlers: FollowHandlers,
    signal: AbortSignal,
  ): Follower;
  /** Tells the child that a manager watches over it. */
  touchFollowed(directory: string): Promise<void>;
  /** Shortens the log of a living attempt once it is too long. */
  boundLog(directory: string): Promise<void>;
  /** Tells the child that it lost its run. */
  markSuperseded(directory: string): Promise<void>;
  /** Notes why an attempt is about to be ended. */
  noteEnding(directory: string, ended: Ended): Promise<void>;
  /** Notes where the products of an attempt belong, before the first of them gets there. */
  notePublishing(directory: string, locations: readonly string[]): Promise<void>;
  /** Notes that the outcome is in the databases. */
  markConcluded(directory: string): Promise<void>;
  /** Keeps the newest concluded attempts within the limits; answers the ids removed. */
  prune(retention: Retention): Promise<string[]>;
}

/** What strax has stored in output folders, as the manager uses it. */
export interface Products {
  /**
   * Why attempts cannot write to their folder and have their products renamed into the output folder,
   * or null. Once they could, it is not tried again.
   */
  stagingProblem(folders: Folders): Promise<StagingProblem | null>;
  /** Makes the folder that an attempt alone writes to. */
  makePlace(place: string): Promise<void>;
  /** Removes that folder with all that is left in it; see `removePlace`. */
  removePlace(place: string): Promise<void>;
  /** Gives a folder of an attempt its place in the output folder; see `publishFolder`. */
  publish(from: string, to: string, attempt: string): Promise<Published>;
  /** Forces to disk what has been published from a place. */
  forcePublished(place: string, outputDirectory: string): Promise<void>;
  /** Ids of the attempts that have a place in the folder of places. */
  placesIn(staging: string): Promise<string[]>;
  /** All folders of strax in a place. */
  foldersIn(place: string): Promise<FolderInPlace[]>;
  /** What a folder says of who made it. */
  wordOf(location: string): Promise<FolderWord>;
  /** What is stored of a run in a folder: the output folder, or that of an attempt. */
  inspect(folder: string, runId: string): Promise<Inspection>;
  /** Folders of a run, finished or not, and what each says of who made it. */
  leftovers(outputDirectory: string, runId: string): Promise<Leftover[]>;
  /** When a folder was changed last, and by whom it is open. */
  activity(path: string): Promise<FolderActivity>;
  /** Takes a folder out of the output folder if it is the one that was seen; see `takeAway`. */
  takeAway(trash: Trash, runId: string, seen: Leftover): Promise<Taken>;
  /** Deletes what was taken away; false if it is not there any more. */
  destroy(trash: Trash, path: string): Promise<boolean>;
  /** Keeps what was taken away in the place itself; false if its name is taken there. */
  keepInPlace(trash: Trash, path: string): Promise<boolean>;
  /** Gives what was taken away its name again; false if that is taken. */
  putBack(trash: Trash, path: string): Promise<boolean>;
  /** The same for a folder whose removal by release 0.1.1 was cut. */
  putBackCondemned(path: string): Promise<boolean>;
  /** Brings removals that were cut to their end; answers what has to stay. */
  tidyTrash(place: string): Promise<string[]>;
  /** All trash in a folder where attempts write; `host`: whose it is. */
  trashBelow(stagingDirectory: string): Promise<{ place: string; host: string | null }[]>;
}

import { isAbsolute, relative } from 'node:path';

/** Whether a folder is another one or lies somewhere below it, as their absolute paths say. */
export function isWithin(folder: string, other: string): boolean {
  const way = relative(other, folder);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

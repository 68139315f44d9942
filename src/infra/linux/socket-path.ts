import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** All that the kernel allows for the path of a socket. */
const MOST_PATH_BYTES = 107;

export interface SocketPath {
  path: string;
  /** The path may be used until then. */
  close(): void;
}

/** A path to a socket that the kernel takes: a longer one goes through a descriptor of the folder. */
export function socketPath(folder: string, name: string): SocketPath {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= MOST_PATH_BYTES) return { path, close: () => undefined };
  const descriptor = openSync(folder, 'r');
  return { path: `/proc/self/fd/${descriptor}/${name}`, close: () => closeSync(descriptor) };
}

import type { Credentials } from './types.ts';

/**
 * Reads `username`, `password` (and `auth_source`) from a JSON or `key = value` file that only its
 * owner may read.
 */
export declare function readCredentials(path: string): Promise<Credentials>;

import type { ExitCause } from './verdict.ts';

/** Short stable name of an error: equal for the same fault in different runs. */
export declare function fingerprint(cause: ExitCause): string;

/** Any other run-level status means that somebody has gone on with the run (reference, section 2.6). */
export const STATUS_TO_REPLACE: readonly (string | null)[] = [null, 'needs_upload'];

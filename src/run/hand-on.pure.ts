/** With any other status a later program has taken the run already (reference, section 2.6). */
export const STATUS_TO_REPLACE: readonly (string | null)[] = [null, 'needs_upload'];

/** Tags of runs. Their names are shared with the website and other programs (2.5): no setting changes them. */

/** Nobody claims a run with this tag. */
export const HOLD_TAG = 'hold-processing';
/** A run with this tag is never claimed and ends abandoned. */
export const ABANDON_TAG = 'abandon';

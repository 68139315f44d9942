/** Stands for a field where the fault is in the live data, not in the document. */
export const LIVE_DATA = '(live data)';

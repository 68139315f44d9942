/** What a person can ask for, from the dashboard and from the command line. */
export const ACTION_KINDS = [
  'retry',
  'hold',
  'release',
  'abandon',
  'reprocess',
  'fail',
  'renumber',
  'drain',
  'undrain',
  'acknowledge',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

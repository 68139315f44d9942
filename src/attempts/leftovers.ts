/** A folder that an earlier attempt left in the output folder. */
export interface Leftover {
  /** Absolute path of the folder itself. */
  path: string;
  runId: string;
  type: string;
  lineageHash: string;
  /** Carries the suffix `_temp`: strax has not finished it. */
  unfinished: boolean;
}

/**
 * Folders of a run in the output folder. With `locations`, only those (final names, as in the run
 * document's `data` entries; their `_temp` counts too); without, all of the run.
 */
export async function leftoversOf(
  _outputDirectory: string,
  _runId: string,
  _options?: { locations?: readonly string[] },
): Promise<Leftover[]> {
  return Promise.reject(new Error('leftoversOf'));
}

/**
 * Removes strax folders of a run. A finished one is renamed to `_temp` first, so that what is left
 * of it after a crash never looks like data. Throws, before anything is removed, on a path that is
 * not exactly `<outputDirectory>/<runId>-<type>-<hash>[_temp]` or is no real folder. A folder that
 * is gone already is no error. Answers the paths removed.
 */
export async function removeLeftovers(
  _outputDirectory: string,
  _runId: string,
  _paths: readonly string[],
): Promise<string[]> {
  return Promise.reject(new Error('removeLeftovers'));
}

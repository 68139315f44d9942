/** Where a value came from. */
export type Source =
  | { kind: 'default' }
  | { kind: 'file'; path: string }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string };

/** By the setting's path in the file, e.g. `paths.live_data`. */
export type Sources = Readonly<Record<string, Source>>;

export interface ConfigurationError {
  /** Path of the setting, or of the unknown key; null if the file as a whole cannot be read. */
  setting: string | null;
  source: Source;
  /** Line of the file, counted from 1; null outside a file, and where there is no line. */
  line: number | null;
  problem: string;
}

/** One line for a person: which setting, where it is given, what is wrong. */
export function describeError({ setting, source, line, problem }: ConfigurationError): string {
  const from = describeSource(source) + (line === null ? '' : ` line ${line}`);
  return setting === null ? `${from}: ${problem}` : `${setting} (${from}): ${problem}`;
}

/** `default`, or the file, variable or flag by name. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'default':
      return 'default';
    case 'file':
      return source.path;
    case 'environment':
    case 'flag':
      return source.name;
  }
}

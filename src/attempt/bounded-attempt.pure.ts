import { boundedLine, boundedList, boundedText } from '../infra/values/bounded.pure.ts';
import type { Folder, Result, ServerMessage } from './attempt.pure.ts';

/**
 * What is taken of what a worker says, characters. All of it stays in the attempt's own files; what
 * goes further must fit into a document, a log and an eye.
 */
const LONGEST = {
  name: 200,
  path: 1000,
  version: 200,
  message: 4000,
  warning: 1000,
  traceback: 40_000,
} as const;
const MOST_PRODUCTS = 2000;
const MOST_WARNINGS = 20;
const MOST_VERSIONS = 100;
/** As JSON, characters; one of straxen's whole chain has some 60,000. */
const LARGEST_LINEAGE = 1_000_000;

/** Everything in it small enough to be kept and shown. */
export function boundedResult(result: Result): Result {
  const { error, products, skipped, warnings, versions } = result;
  const made = boundedList(products, MOST_PRODUCTS);
  const unlisted = products.filter(({ lineage }) => isTooLarge(lineage));
  const said = [
    ...(warnings ?? []),
    ...unlisted.map(
      ({ type }) =>
        `the lineage of ${boundedLine(type, LONGEST.name)} is too large for the run's document: it is beside the data only`,
    ),
  ];
  return {
    ...result,
    error:
      error === null
        ? null
        : {
            ...error,
            type: boundedLine(error.type, LONGEST.name),
            message: boundedText(error.message, LONGEST.message),
            traceback: boundedText(error.traceback, LONGEST.traceback),
            plugin: error.plugin === null ? null : boundedLine(error.plugin, LONGEST.name),
            file: error.file === null ? null : boundedLine(error.file, LONGEST.path),
          },
    products: made.kept.map((product) =>
      isTooLarge(product.lineage) ? { ...product, lineage: {} } : product,
    ),
    skipped: boundedLines(skipped, LONGEST.name),
    ...(warnings == null && said.length === 0
      ? {}
      : { warnings: boundedLines(said, LONGEST.warning) }),
    versions: boundedVersions(versions),
  };
}

export function boundedFolder(folder: Folder): Folder {
  return isTooLarge(folder.lineage) ? { ...folder, lineage: {} } : folder;
}

export function boundedVersions(
  versions: Readonly<Record<string, string>>,
): Record<string, string> {
  const { kept } = boundedList(Object.entries(versions), MOST_VERSIONS);
  return Object.fromEntries(
    kept.map(([name, version]) => [
      // No database takes such a character in a name.
      boundedLine(name.replaceAll('\0', ''), LONGEST.name),
      boundedLine(version, LONGEST.version),
    ]),
  );
}

export function boundedServerMessage(message: ServerMessage): ServerMessage {
  switch (message.type) {
    case 'hello':
      return {
        ...message,
        versions: boundedVersions(message.versions),
        changed: boundedLines(message.changed, LONGEST.warning),
      };
    case 'ready':
    case 'forked':
      return {
        ...message,
        why: message.why === null ? null : boundedLine(message.why, LONGEST.warning),
      };
    case 'context_failed':
      return {
        ...message,
        summary: boundedText(message.summary, LONGEST.message),
        traceback: boundedText(message.traceback, LONGEST.traceback),
      };
    case 'refused':
      return { ...message, reason: boundedText(message.reason, LONGEST.warning) };
    case 'graph':
    case 'ended':
    case 'replaced':
      return message;
  }
}

/** Each as a line, and one more that says how many are left out. */
function boundedLines(lines: readonly string[], longest: number): string[] {
  const { kept, more } = boundedList(lines, MOST_WARNINGS);
  const short = kept.map((line) => boundedLine(line, longest));
  return more === 0 ? short : [...short, `(and ${more} more, see the attempt's result.json)`];
}

function isTooLarge(lineage: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(lineage).length > LARGEST_LINEAGE;
}

import { basename, dirname } from 'node:path';

import type { TraceEvent } from './trace.ts';

type Of<K extends TraceEvent['kind']> = Extract<TraceEvent, { kind: K }>;

/** The one run that was traced. */
export interface TracedRun {
  /** Where attempts write. */
  stagingDirectory: string;
  attemptsDirectory: string;
  /** Final names of its products. */
  products: readonly string[];
}

/**
 * What of the run would be lost or half there if the power were cut right after a message to the
 * database: each file has to be forced to disk before the message that relies on it begins.
 */
export function durabilityProblems(events: readonly TraceEvent[], run: TracedRun): string[] {
  const kind = <K extends TraceEvent['kind']>(wanted: K) =>
    events.filter((event): event is Of<K> => event.kind === wanted);
  const sends = kind('send');
  const busy = sends.find(({ text }) => text.includes('started_processing'));
  const conclusion = sends.find(({ text }) => text.includes('eb_finished_pre'));
  if (busy === undefined) return ['the message that makes the run busy is not in the trace'];
  if (conclusion === undefined) return ['the message that concludes the run is not in the trace'];

  const durable = (name: string, before: TraceEvent, what: string): string[] => {
    const rename = kind('rename').find(({ to }) => basename(to) === name);
    if (rename === undefined) return [`${name} is not renamed into place in the trace`];
    const problems: string[] = [];
    const written = kind('write').findLast(({ path }) => path === rename.from);
    const synced = kind('sync').find(
      ({ path, begin }) => path === rename.from && written !== undefined && begin > written.end,
    );
    if (written === undefined || synced === undefined || synced.end > rename.begin) {
      problems.push(`${name} is not forced to disk between its last write and its rename`);
    }
    const folder = kind('sync').find(
      ({ path, begin }) => path === dirname(rename.to) && begin > rename.end,
    );
    if (folder === undefined || folder.end > before.begin) {
      problems.push(`the folder of ${name} is not forced to disk before ${what}`);
    }
    return problems;
  };

  const result = kind('rename').find(({ to }) => basename(to) === 'result.json');
  const changes = [
    ...kind('write').map((event) => ({ event, path: event.path })),
    ...kind('rename').map((event) => ({ event, path: event.to })),
  ].filter(({ path }) => path.startsWith(`${run.stagingDirectory}/`));
  const publications = run.products.map((product) => ({
    product,
    renamed: kind('rename').find(({ to }) => to === product),
  }));
  const productProblems = publications.flatMap(({ product, renamed }) => {
    const name = basename(product);
    if (renamed?.from.startsWith(`${run.stagingDirectory}/`) !== true) {
      return [`${name} is not renamed into the output folder in the trace`];
    }
    const own = changes.filter(({ path }) => path.startsWith(renamed.from));
    const last = own.at(-1);
    if (!own.some(({ event, path }) => event.kind === 'rename' && path === renamed.from)) {
      return [`${name} is not renamed into place in the trace`];
    }
    const problems: string[] = [];
    const lastEnd = Math.max(...own.map(({ event }) => event.end));
    const sync = kind('sync_all').find(
      ({ path, begin }) => path === dirname(renamed.from) && begin > lastEnd,
    );
    if (sync === undefined) {
      problems.push(
        `${name} is not forced to disk after its last change (${last?.event.kind} of ${last?.path})`,
      );
    } else if (result === undefined || sync.end > result.begin) {
      problems.push(`${name} is not forced to disk before result.json says it is there`);
    }
    for (const folder of [dirname(renamed.from), dirname(product)]) {
      const forced = kind('sync').find(({ path, begin }) => path === folder && begin > renamed.end);
      if (forced === undefined || forced.end > conclusion.begin) {
        problems.push(
          `${folder} is not forced to disk after the publication of ${name} and before the conclusion`,
        );
      }
    }
    return problems;
  });
  const first = publications.flatMap(({ renamed }) => renamed ?? []).at(0);

  const attempts = kind('sync').find(({ path }) => path === run.attemptsDirectory);
  return [
    ...durable('plan.json', busy, 'the run becomes busy'),
    ...(attempts === undefined || attempts.end > busy.begin
      ? ['the folder of attempts is not forced to disk before the run becomes busy']
      : []),
    ...durable('result.json', conclusion, 'the conclusion'),
    ...(first === undefined
      ? []
      : durable('publishing.json', first, 'the first product is published')),
    ...(run.products.length === 0 ? ['no product is in the trace'] : productProblems),
  ];
}

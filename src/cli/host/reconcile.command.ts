import { resolve } from 'node:path';
import type { Command } from 'commander';

import type { Finding } from '../../attempt/files/folder-listing.pure.ts';
import type { Applied } from '../../features/reconcile/reconcile.ts';
import { stagingDirectory } from '../../infra/config/paths.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { isDiskTrouble } from '../../ports/disk-trouble.ts';
import { query } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { askManagerOf } from '../framework/manager-request.ts';
import { style } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';
import type { Database } from '../framework/with-database.ts';

interface Options {
  apply?: boolean;
  from?: number;
  to?: number;
}

/** A finding, and what became of its action. */
interface Reported extends Finding {
  applied: Applied | null;
}

/** `bootstrax reconcile`: run documents against the disks of this host. */
export function addReconcile(program: Command): void {
  query(program, {
    name: 'reconcile',
    about: 'compare the run documents with the disks of this host; changes nothing without --apply',
    takes: (command) =>
      command
        .option('--apply', 'remove what failed attempts of this host have left and nobody uses')
        .option('--from <run>', 'only runs from this number on', runNumber)
        .option('--to <run>', 'only runs up to this number', runNumber),
    json: 'one object: {host, findings: [{kind, run, path, says, todo, action, applied, needsPerson, details}]}',
    read: reconcile,
    draw: ({ host, findings }) =>
      findings.length === 0 ? `Nothing is amiss on ${host}.` : inWords(findings),
    isProblem: ({ findings }) => findings.some(needsPerson),
  });
}

async function reconcile({ store, settings }: Database, options: Options) {
  const {
    apply,
    findings: findingsOf,
    finishRemovals,
  } = await import('../../features/reconcile/reconcile.ts');
  const { host, paths, rules } = settings;
  const place = {
    store,
    host: host.name,
    outputDirectory: resolve(paths.output),
    stagingDirectory: stagingDirectory(paths),
    quietSeconds: rules.limits.quietSeconds,
    liveRoots: [resolve(paths.liveData)],
    stateDir: paths.stateDir,
    presumedDeadSeconds: rules.limits.presumedDeadSeconds,
    managerRuns: await managerRuns(settings),
  };
  const scope = { from: options.from ?? 0, to: options.to ?? null };
  if (options.apply) await finishRemovals(place);
  const found: Reported[] = [];
  for (const finding of await whileMounted(() => findingsOf(place, scope))) {
    const { action } = finding;
    const applied = options.apply && action !== null ? await apply(place, action) : null;
    found.push({ ...finding, applied });
  }
  const done = found.filter(({ applied }) => applied?.kind === 'done');
  if (done.length > 0) {
    const named = done.map(({ path }) => path).join(', ');
    await store.daqLog.write({
      host: host.name,
      priority: 'info',
      message: `reconcile on ${host.name} took back what failed attempts had left: ${named}`,
    });
  }
  return { host: host.name, findings: found };
}

/** A disk that is not there is said to be so, and nothing is taken for missing. */
async function whileMounted<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    throw new CommandFailure(
      1,
      `the disks of this host cannot be read: ${error.message}; mount what is missing, or correct paths.output`,
    );
  }
}

/** One that does not answer runs all the same. */
async function managerRuns(settings: Database['settings']): Promise<boolean> {
  try {
    return (await askManagerOf(settings, { type: 'status' })) !== 'no manager';
  } catch {
    return true;
  }
}

function needsPerson({ needsPerson: needs, applied }: Reported): boolean {
  return needs && applied?.kind !== 'done';
}

function inWords(found: readonly Reported[]): string {
  const lines = found.map((finding) => {
    const { kind, says, todo, applied } = finding;
    const colour = needsPerson(finding) ? 'red' : 'green';
    return `${style(colour, kind.replaceAll('_', ' '))}: ${says}\n    ${outcomeOf(applied) ?? todo}`;
  });
  const waiting = found.filter(needsPerson).length;
  return [...lines, '', `${counted(found.length, 'finding')}, ${waiting} for a person`].join('\n');
}

function outcomeOf(applied: Applied | null): string | null {
  switch (applied?.kind) {
    case 'done':
      return 'done: removed';
    case 'changed':
      return 'nothing done: it has changed since: reconcile again';
    case 'failed':
      return `could not be done: ${applied.why}`;
    case undefined:
      return null;
  }
}

import {
  type Frontend,
  type Plan,
  type PluginGraph,
  type Processor,
  PROTOCOL_VERSION,
} from '../attempt/attempt.pure.ts';
import { placeIn } from '../attempt/files/staging.pure.ts';
import type { Rules, Shedding } from '../infra/config/rules.pure.ts';
import { endProblem } from '../retry/unmendable.pure.ts';
import { type FieldProblem, type ParsedRun, problemsText, type Run } from '../run/run.pure.ts';
import { selectResources } from './resources.pure.ts';
import { type Culprit, type HostTargets, selectTargets } from './targets.pure.ts';

export interface DecisionInputs {
  rules: Rules;
  /** Name of the resource table of this host. */
  hostTable: string;
  shedding: Shedding;
  graph: PluginGraph | null;
  culprits: readonly Culprit[];
  /** Counted failures, by number from 1, after which fewer plugins would not help: none if absent. */
  futile?: readonly number[];
  /** Number of counted failures from lack of memory, from the history of the run. */
  memoryFailures: number;
  hostTargets: HostTargets | null;
  /** Why only raw records are made, in one sentence; absent: the rung decides. */
  onlyRaw?: string | null;
  /** Rate from the DAQ's status while the run is taken; the rate of the run document comes first. */
  rateMBps: number | null;
}

export interface PlanInputs extends DecisionInputs {
  attempt: string;
  /** `_id` of the run document as text. */
  runDocument: string;
  host: string;
  /** `module:function`, and its arguments. */
  context: string;
  contextOptions: Record<string, unknown>;
  processor: Processor;
  /** See `Plan`; null or absent: no profile. */
  profile?: string | null;
  debug?: boolean;
  /** False: no pictures of the data are made. */
  pictures?: boolean;
  frontends?: readonly Frontend[];
  /** What its job asks for; null or absent: it runs on its host. */
  job?: Plan['job'];
  /** Directories below which this host sees live data. */
  liveDataRoots: readonly string[];
  outputDirectory: string;
  /** Folder of the places, on the same file system. */
  stagingDirectory: string;
}

export interface PlanDecisions {
  kind: 'decided';
  targets: string[];
  postProcessing: string[];
  /** Targets of the run without failures. */
  wanted: string[];
  dropped: string[];
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
  recordsCompressor: 'lz4' | 'zstd';
  /** See `Plan`. */
  salvage: boolean;
  /** One sentence for each decision. */
  reasons: string[];
}

export type NoPlan =
  /** Set the run aside. */
  | { kind: 'malformed'; problems: readonly FieldProblem[] }
  /** Not counted; the host should claim nothing until it is corrected. */
  | { kind: 'host_problem'; reason: string }
  /** A counted failure of the run. */
  | { kind: 'run_problem'; reason: string };

/** Decides targets and resources of an attempt, without folders, database and Python. */
export function decidePlan(
  run: Run,
  inputs: DecisionInputs,
): PlanDecisions | Exclude<NoPlan, { kind: 'run_problem' }> {
  const { rules } = inputs;
  const rung = rungAfter(run.bootstrax);
  const failures = rung(run.bootstrax.failures);
  const onlyRaw = inputs.onlyRaw ?? onlyRawBecause(run);
  const rungOfTargets =
    onlyRaw === null ? failures : Math.max(failures, 1, rules.targets.rawRecordsAfter);
  const selection = selectTargets(
    {
      mode: run.mode,
      detectors: run.detectors,
      failures: rungOfTargets,
      shedding: inputs.shedding,
      graph: inputs.graph,
      culprits: inputs.culprits.map((culprit) => ({
        ...culprit,
        failures: rung(culprit.failures),
      })),
      futile: (inputs.futile ?? []).map(rung),
      hostTargets: inputs.hostTargets,
    },
    rules.targets,
  );
  if (selection.kind !== 'targets') return selection;
  const { reasons, ...resources } = selectResources(
    {
      mode: run.mode,
      rateMBps: run.rateMBps ?? inputs.rateMBps,
      failures,
      memoryFailures: inputs.memoryFailures,
      chunkSeconds: run.daq.chunkSeconds,
      overlapSeconds: run.daq.overlapSeconds,
    },
    inputs.hostTable,
    rules.resources,
  );
  const salvage = isLastRung(selection, rungOfTargets, rules.targets);
  if (salvage) reasons.push('Last attempt: live data that cannot be read is skipped.');
  return {
    ...selection,
    ...resources,
    salvage,
    kind: 'decided',
    reasons: [
      ...(onlyRaw === null
        ? selection.reasons
        : [onlyRaw, ...selection.reasons.filter((reason) => !reason.startsWith('Dropped after'))]),
      ...reasons,
      ...(run.oddities.length === 0
        ? []
        : [`Oddities of the run document: ${problemsText(run.oddities)}.`]),
    ],
  };
}

/** Without a possible end the coverage of a run cannot be checked. */
function onlyRawBecause(run: Run): string | null {
  // Of a run whose end equals its start the live data decides.
  const isBefore = run.end !== null && run.end.getTime() < run.start.getTime();
  const problem = isBefore ? endProblem(run) : null;
  return problem === null ? null : onlyRawText([problem]);
}

/** For people: why no more than raw records is made. */
export function onlyRawText(problems: readonly FieldProblem[]): string {
  return `Only raw records are made, of the live data that can be read: ${problemsText(problems)}.`;
}

/**
 * The rung of the ladder after a number of counted failures. Failures that a person asked for count, but
 * do not go down the ladder.
 */
export function rungAfter({
  askedFailures = [],
}: Pick<Run['bootstrax'], 'askedFailures'>): (failures: number) => number {
  return (failures) => failures - askedFailures.filter((asked) => asked <= failures).length;
}

/** At the end of the ladder only the last resort is made, of all live data that can be read. */
function isLastRung(
  { targets, postProcessing }: { targets: readonly string[]; postProcessing: readonly string[] },
  failures: number,
  { rawRecordsAfter, lastResort }: Rules['targets'],
): boolean {
  return (
    failures >= Math.max(1, rawRecordsAfter) &&
    [...targets, ...postProcessing].every((type) => type === lastResort)
  );
}

/** The plan of one attempt at a run. */
export function makePlan(
  run: Run,
  inputs: PlanInputs,
): { kind: 'plan'; plan: Plan; wanted: string[] } | NoPlan {
  const decisions = decidePlan(run, inputs);
  if (decisions.kind !== 'decided') return decisions;
  const live = resolveLiveDirectory(run, inputs.liveDataRoots);
  if (live.kind !== 'directory') return live;
  const plan: Plan = {
    version: PROTOCOL_VERSION,
    attempt: inputs.attempt,
    run: run.number,
    runDocument: inputs.runDocument,
    runId: run.runId,
    host: inputs.host,
    context: inputs.context,
    contextOptions: inputs.contextOptions,
    targets: decisions.targets,
    postProcessing: decisions.postProcessing,
    dropped: decisions.dropped,
    cores: decisions.cores,
    maxMessages: decisions.maxMessages,
    timeoutSeconds: decisions.timeoutSeconds,
    recordsCompressor: decisions.recordsCompressor,
    reasons: decisions.reasons,
    processor: inputs.processor,
    runConfig: runConfig(run, live.path),
    liveDataDirectory: live.path,
    outputDirectory: inputs.outputDirectory,
    place: placeIn(inputs.stagingDirectory, inputs.attempt),
    failures: run.bootstrax.failures,
    orphanLimitSeconds: inputs.rules.limits.orphanLimitSeconds,
    ...(inputs.profile ? { profile: inputs.profile } : {}),
    ...(inputs.job == null ? {} : { executor: 'slurm', job: inputs.job }),
    ...(inputs.debug ? { debug: true } : {}),
    ...(inputs.pictures === false ? { pictures: false } : {}),
    ...(decisions.salvage ? { salvage: true } : {}),
    ...(inputs.frontends?.length ? { frontends: [...inputs.frontends] } : {}),
  };
  return { kind: 'plan', plan, wanted: decisions.wanted };
}

/** strax options taken from the run document, by their names there (reference, section 4.2). */
function runConfig(run: Run, liveDataDirectory: string): Record<string, unknown> {
  const { daq } = run;
  return {
    readout_threads: daq.threads,
    daq_chunk_duration: Math.trunc(daq.chunkSeconds * 1e9),
    daq_overlap_chunk_duration: Math.trunc(daq.overlapSeconds * 1e9),
    // Two bytes a sample.
    record_length: Math.trunc(daq.fragmentBytes / 2),
    daq_compressor: daq.compressor,
    run_start_time: run.start.getTime() / 1000,
    daq_input_dir: liveDataDirectory,
    check_raw_record_overlaps: true,
  };
}

/** One line of `bootstrax plan --json`. */
export type PlanLine =
  | {
      run: number;
      targets: string[];
      postProcessing: string[];
      cores: number;
      maxMessages: number;
      timeoutSeconds: number;
      recordsCompressor: 'lz4' | 'zstd';
      reasons: string[];
    }
  | { run: number | null; malformed: FieldProblem[] };

/**
 * The line for one document. `failures` replaces the count of the document. A fault of the configuration
 * is named like one of the document: there is no plan either way.
 */
export function planLine(
  parsed: ParsedRun,
  inputs: DecisionInputs,
  failures: number | null,
): PlanLine {
  if (parsed.kind === 'malformed') {
    const { number, problems } = parsed.malformed;
    return { run: number, malformed: [...problems] };
  }
  const { run } = parsed;
  const bootstrax =
    failures === null ? run.bootstrax : { ...run.bootstrax, failures, askedFailures: [] };
  const decided = decidePlan({ ...run, bootstrax }, inputs);
  switch (decided.kind) {
    case 'malformed':
      return { run: run.number, malformed: [...decided.problems] };
    case 'host_problem':
      return {
        run: run.number,
        malformed: [{ field: '(configuration)', problem: decided.reason }],
      };
    case 'decided':
      return {
        run: run.number,
        targets: decided.targets,
        postProcessing: decided.postProcessing,
        cores: decided.cores,
        maxMessages: decided.maxMessages,
        timeoutSeconds: decided.timeoutSeconds,
        recordsCompressor: decided.recordsCompressor,
        reasons: decided.reasons,
      };
  }
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

/**
 * The folder with the live data of a run. A document of the database never makes this host read outside
 * the folders that are configured for live data.
 */
export function resolveLiveDirectory(
  run: Run,
  roots: readonly string[],
): { kind: 'directory'; path: string } | NoPlan {
  if (run.liveLocation === null) {
    const reason = `Run ${run.number} has no live data: its document has no live entry.`;
    return { kind: 'run_problem', reason };
  }
  const location = segments(run.liveLocation);
  const inside = roots.some((root) => {
    const above = segments(root);
    return above.every((segment, i) => segment === location[i]);
  });
  if (!inside || location.includes('..')) {
    const known = roots.length > 0 ? roots.join(', ') : 'nowhere';
    return {
      kind: 'host_problem',
      reason:
        `The document of run ${run.number} names ${run.liveLocation} for its live data, ` +
        `but this host reads live data only in ${known}. ` +
        `Correct the setting for live data, or the run document.`,
    };
  }
  return { kind: 'directory', path: `/${[...location, run.runId].join('/')}` };
}

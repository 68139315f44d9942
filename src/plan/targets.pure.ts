import type { PluginGraph } from '../attempt/attempt.pure.ts';
import type { ModeRule, Shedding, TargetRules } from '../infra/config/rules.pure.ts';
import { dropped, suitsDetectors } from '../infra/config/type-names.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { FieldProblem } from '../run/run.pure.ts';
import { shed } from './shedding.pure.ts';

/** The data type whose plugin raised a counted failure. */
export interface Culprit {
  type: string;
  /** The run's count of failures including that one: 1 for the first. */
  failures: number;
}

/** Targets of this host for a mode in the configuration of the DAQ (reference, section 1.9). */
export interface HostTargets {
  targets: readonly string[];
  postProcessing: readonly string[];
}

export interface TargetInputs {
  mode: string;
  detectors: readonly string[];
  /** Counted failures before this attempt: the rung. */
  failures: number;
  shedding: Shedding;
  /** null: not reported yet; graded shedding then falls back to the reference's lists. */
  graph: PluginGraph | null;
  culprits: readonly Culprit[];
  /** Counted failures, by number from 1, after which fewer plugins would not help: none if absent. */
  futile?: readonly number[];
  hostTargets: HostTargets | null;
}

export type TargetSelection =
  | {
      kind: 'targets';
      targets: string[];
      postProcessing: string[];
      /** Targets of the run without failures. */
      wanted: string[];
      /** Wanted but not asked for: the debt. */
      dropped: string[];
      reasons: string[];
    }
  /** The run document asks for targets that the context cannot make. */
  | { kind: 'malformed'; problems: FieldProblem[] }
  /** The host's configuration asks for them, which is not the fault of the run. */
  | { kind: 'host_problem'; reason: string };

export interface TargetLists {
  targets: readonly string[];
  postProcessing: readonly string[];
}

/** Where the lists before the detector rule come from. */
type Source = { kind: 'configuration' } | { kind: 'mode'; substring: string };

function orLastResort(types: readonly string[], rules: TargetRules): readonly string[] {
  return types.length > 0 ? types : [rules.lastResort];
}

function withoutDropped(types: readonly string[], failures: number, rules: TargetRules) {
  return orLastResort(
    types.filter((type) => !dropped(type, failures, rules.ladder)),
    rules,
  );
}

function applyModeRule(
  lists: TargetLists,
  rule: ModeRule | undefined,
  hostTargets: HostTargets | null,
): TargetLists & { source: Source } {
  const configured = { ...lists, source: { kind: 'configuration' } } as const;
  if (rule === undefined) return configured;
  const source = { kind: 'mode', substring: rule.substring } as const;
  if (rule.hostOverride === true) {
    return hostTargets === null ? configured : { ...hostTargets, source };
  }
  const targets = rule.targets ?? lists.targets;
  const postProcessing = rule.postProcessing ?? lists.postProcessing;
  if (rule.append === undefined) return { targets, postProcessing, source };
  const { add, ifPresent } = rule.append;
  const present = targets.includes(ifPresent) || postProcessing.includes(ifPresent);
  if (!present || targets.includes(add)) return { targets, postProcessing, source };
  return { targets: [...targets, add], postProcessing, source };
}

function modeRule(mode: string, rules: TargetRules): ModeRule | undefined {
  return rules.modes.find(({ substring }) => mode.includes(substring));
}

/** Whether the targets of a mode depend on what the DAQ's operators have set for this host. */
export function dependsOnHost(mode: string, rules: TargetRules): boolean {
  return modeRule(mode, rules)?.hostOverride === true;
}

/** The reference's selection for a number of failures (section 5.1, steps 2 to 4). */
function referenceLists(
  inputs: TargetInputs,
  failures: number,
  rules: TargetRules,
): TargetLists & { source: Source } {
  const rule = modeRule(inputs.mode, rules);
  const lists = applyModeRule(
    {
      targets: withoutDropped(rules.default, failures, rules),
      postProcessing: withoutDropped(rules.postProcessing, failures, rules),
    },
    rule,
    inputs.hostTargets,
  );
  const suiting = (types: readonly string[]) =>
    orLastResort(
      types.filter((type) => suitsDetectors(type, inputs.detectors, rules.detectors)),
      rules,
    );
  return {
    targets: suiting(lists.targets),
    postProcessing: suiting(lists.postProcessing),
    source: lists.source,
  };
}

function listProblem(lists: TargetLists, graph: PluginGraph | null): string | null {
  for (const types of [lists.targets, lists.postProcessing]) {
    const double = types.find((type, i) => types.indexOf(type) !== i);
    if (double !== undefined) return `asks for '${double}' twice`;
  }
  // Unknown post-processing is skipped by the worker with a warning, as in the reference (4.5).
  if (graph === null) return null;
  const unknown = lists.targets.find((type) => !Object.hasOwn(graph.types, type));
  return unknown === undefined
    ? null
    : `asks for '${unknown}', which the context '${graph.context}' does not make`;
}

/** A data type that the context knows and forbids to make. */
function forbidden(types: readonly string[], graph: PluginGraph | null): string | undefined {
  const listed = graph?.forbidden ?? [];
  return types.find((type) => listed.includes(type) || listed.includes('*'));
}

/**
 * The targets of an attempt, and those that are dropped. `reference` shedding follows the reference
 * (section 5); `graded` is the same without failures and runs fewer plugins after each failure.
 */
export function selectTargets(inputs: TargetInputs, rules: TargetRules): TargetSelection {
  const { failures, graph } = inputs;
  if (rules.fixed) return fixedTargets(graph, rules);
  const base = referenceLists(inputs, 0, rules);
  const barred = forbidden(base.targets, graph);
  if (barred !== undefined) {
    const context = graph?.context ?? '';
    const reason = `The context '${context}' forbids to make '${barred}' (forbid_creation_of): correct the context or the targets.`;
    return { kind: 'host_problem', reason };
  }
  const problem = listProblem(base, graph);
  if (problem !== null) {
    return base.source.kind === 'mode'
      ? {
          kind: 'malformed',
          problems: [{ field: 'mode', problem: `'${inputs.mode}' ${problem}` }],
        }
      : { kind: 'host_problem', reason: `The configuration of targets ${problem}.` };
  }
  const reasons = [
    base.source.kind === 'mode'
      ? `Targets of modes with '${base.source.substring}'.`
      : 'Targets of the configuration.',
  ];
  const chosen = chooseLists(inputs, base, rules, reasons);
  const wanted = [...new Set([...base.targets, ...base.postProcessing])];
  const asked = new Set([...chosen.targets, ...chosen.postProcessing]);
  const missing = wanted.filter((type) => !asked.has(type));
  if (missing.length > 0) {
    reasons.push(`Dropped after ${counted(failures, 'failure')}: ${missing.join(', ')}.`);
  }
  const instead = [...asked].filter((type) => !wanted.includes(type));
  if (instead.length > 0) reasons.push(`Made instead: ${instead.join(', ')}.`);
  return {
    kind: 'targets',
    targets: [...chosen.targets],
    postProcessing: [...chosen.postProcessing],
    wanted,
    dropped: missing,
    reasons,
  };
}

/** The configured lists, alike for every run. */
function fixedTargets(graph: PluginGraph | null, rules: TargetRules): TargetSelection {
  const lists = { targets: rules.default, postProcessing: rules.postProcessing };
  const problem = listProblem(lists, graph);
  if (problem !== null) {
    return { kind: 'host_problem', reason: `The configuration of targets ${problem}.` };
  }
  return {
    kind: 'targets',
    targets: [...lists.targets],
    postProcessing: [...lists.postProcessing],
    wanted: [...new Set([...lists.targets, ...lists.postProcessing])],
    dropped: [],
    reasons: ['Targets of the configuration, which are fixed.'],
  };
}

function chooseLists(
  inputs: TargetInputs,
  base: TargetLists,
  rules: TargetRules,
  reasons: string[],
): TargetLists {
  const { failures, graph } = inputs;
  if (failures === 0) return base;
  if (inputs.shedding === 'graded' && graph !== null) {
    const futile = (inputs.futile ?? []).filter((number) => number <= failures);
    if (futile.length > 0 && failures < rules.rawRecordsAfter) {
      const times =
        failures === 1 ? 'the failure' : `${futile.length} of ${counted(failures, 'failure')}`;
      reasons.push(`Fewer plugins would not prevent ${times}: none is dropped for it.`);
    }
    const culprits = inputs.culprits.filter(
      (culprit) => culprit.failures <= failures && !futile.includes(culprit.failures),
    );
    if (culprits.length > 0) {
      const names = [...new Set(culprits.map(({ type }) => type))].sort().join(', ');
      reasons.push(`Failed before, so dropped with all that depends on it: ${names}.`);
    }
    return shed({ ...inputs, graph, wanted: base }, rules);
  }
  if (inputs.shedding === 'graded') {
    reasons.push(
      'Shed by the lists of the reference: the plugin graph of the context is not known.',
    );
  }
  return referenceLists(inputs, failures, rules);
}

/**
 * Configured default targets that the context does not make, or forbids to make. A host with any should claim nothing:
 * it could not plan the runs that need them, and no run is to blame for that.
 */
export function unknownDefaultTargets(rules: TargetRules, graph: PluginGraph): string[] {
  return rules.default.filter(
    (type) => !Object.hasOwn(graph.types, type) || forbidden([type], graph) !== undefined,
  );
}

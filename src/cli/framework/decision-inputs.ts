import { readFile } from 'node:fs/promises';

import { type PluginGraph, pluginGraphSchema } from '../../attempt/attempt.pure.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { graphPath } from '../../infra/config/paths.ts';
import { hostTargetsOf } from '../../plan/host-targets.pure.ts';
import type { DecisionInputs } from '../../plan/plan.pure.ts';
import type { HostTargets } from '../../plan/targets.pure.ts';
import { CommandFailure } from './command-failure.ts';

/**
 * What the decisions about a run depend on besides its document: this host's settings and the plugin
 * graph in its state folder. Standard error says if the graph is needed and missing.
 */
export async function decisionInputs(settings: Settings): Promise<DecisionInputs> {
  const { graph, missing } = await readGraph(
    graphPath(settings.paths.stateDir, settings.worker.context),
  );
  const { shedding } = settings.rules.targets;
  if (missing !== null && shedding === 'graded') {
    process.stderr.write(
      `bootstrax: graded shedding without the plugin graph of ${settings.worker.context}, ` +
        `which the worker reports: ${missing}\n`,
    );
  }
  return {
    rules: settings.rules,
    hostTable: settings.host.resourceTable,
    shedding,
    graph,
    culprits: [],
    memoryFailures: 0,
    hostTargets: null,
    rateMBps: null,
  };
}

/** As in the manager, a document that cannot be used means the default targets; standard error says so. */
export async function readHostTargets(path: string, host: string): Promise<HostTargets | null> {
  const { BSON } = await import('mongodb');
  let document: unknown;
  try {
    document = BSON.EJSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CommandFailure(2, `--host-targets: ${(error as Error).message}`);
  }
  const answer = hostTargetsOf(document, host);
  if (answer.kind === 'broken') {
    process.stderr.write(`bootstrax: ${path} cannot be used, ${answer.problem}: default targets\n`);
  }
  return answer.kind === 'targets' ? answer.hostTargets : null;
}

async function readGraph(
  path: string,
): Promise<{ graph: PluginGraph; missing: null } | { graph: null; missing: string }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return { graph: null, missing: `there is no ${path} yet; start the manager once` };
  }
  const parsed = pluginGraphSchema.safeParse(parseJson(text));
  if (parsed.success) return { graph: parsed.data, missing: null };
  return { graph: null, missing: `${path} is damaged; the manager writes it anew at its start` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

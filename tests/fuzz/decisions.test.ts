import { resolve, sep } from 'node:path';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { pluginGraphSchema } from '../../src/attempt/attempt.pure.ts';
import { claimDecision, type HostFacts, orderCandidates } from '../../src/claim/claim.pure.ts';
import { nextRuns } from '../../src/claim/next-runs.pure.ts';
import { malformedViews } from '../../src/cli/framework/malformed-runs.ts';
import { drawRuns } from '../../src/cli/look/runs.command.ts';
import { defaultRules } from '../../src/infra/config/rules.pure.ts';
import { hostTargetsOf } from '../../src/plan/host-targets.pure.ts';
import { makePlan, type PlanInputs, planLine } from '../../src/plan/plan.pure.ts';
import { explain } from '../../src/readmodel/explain.pure.ts';
import { type ParsedRun, parseRun, readRun } from '../../src/run/run.pure.ts';
import { runView } from '../../src/run/run-view.pure.ts';
import { seenOf } from '../../src/run/stored-runs.ts';
import { amount, SEARCH_SEED } from '../support/tier.ts';
import straxenGraph from '../unit/plan/straxen-graph.json' with { type: 'json' };
import { storedRun } from '../unit/run/documents.ts';
import {
  anything,
  mutated,
  type Mutation,
  mutations,
  omissions,
  OPTIONAL,
  REMOVED,
  REQUIRED,
  wellFormed,
} from './documents.ts';

/** In each run of the tests. */
const DOCUMENTS = {
  mutated: amount({ daily: 10_000, nightly: 80_000 }),
  optional: amount({ daily: 2000, nightly: 15_000 }),
  anything: amount({ daily: 2000, nightly: 10_000 }),
};
/** A table for each document would cost more than all else that is done with it. */
const DRAWN_TOGETHER = 20;

const LIVE = '/live/xenonnt';
const ROOTS = ['/live', '/other/live'];
const OUTPUT = '/data/processed';
const NOW = new Date('2026-03-01T12:00:00Z');
const HOSTS: readonly HostFacts[] = [
  { host: 'eb3.xenon.local', role: 'primary', accepting: { ok: true } },
  { host: 'eb2.xenon.local', role: 'never', accepting: { ok: false, reason: 'the disk is full' } },
];
const NOBODY = { hosts: [], waiting: 0 };
const FLEET = { queueLength: 2, livePrimaries: 1 };
const INPUTS: PlanInputs = {
  ...{ attempt: 'a'.repeat(24), runDocument: 'd', host: 'eb3.xenon.local' },
  ...{ context: 'c:c', contextOptions: {} },
  ...{ processor: 'threaded_mailbox', liveDataRoots: ROOTS, outputDirectory: OUTPUT },
  stagingDirectory: `${OUTPUT}.staging`,
  ...{ rules: defaultRules, hostTable: 'new', shedding: 'graded', culprits: [] },
  ...{ memoryFailures: 0, hostTargets: null, rateMBps: null },
  graph: pluginGraphSchema.parse(straxenGraph),
};

let decided = 0;
const toDraw: ReturnType<typeof runView>[] = [];
/** As text: what looks the same is drawn once. */
const drawn = new Set<string>();

/** One document through everything that decides about it or shows it. */
function decide(document: unknown): ParsedRun {
  const parsed = parseRun(document);
  // What is written into the document of a run that is set aside must fit into it.
  if (parsed.kind === 'malformed') {
    const { problems } = parsed.malformed;
    if (problems.length > 20) expect(problems.length).toBeLessThanOrEqual(20);
    const characters = problems.reduce((sum, each) => sum + each.problem.length, 0);
    if (characters > 10_000) expect(characters).toBeLessThanOrEqual(10_000);
  }
  for (const host of HOSTS) {
    claimDecision(parsed, host, { fleet: FLEET, rules: defaultRules, now: NOW });
    const explained = explain(
      parsed,
      host,
      { fleet: FLEET, rules: defaultRules, now: NOW },
      NOBODY,
    );
    JSON.stringify(explained);
    const next = nextRuns([parsed, parsed], host, { fleet: FLEET, rules: defaultRules, now: NOW });
    expect(next.runs.length + next.passedOver.length).toBe(2);
  }
  orderCandidates([{ parsed }, { parsed }], defaultRules, NOW);
  // Shedding by the graph costs more than all else together, and reads nothing of the document.
  const inputs: PlanInputs = decided++ % 16 === 0 ? INPUTS : { ...INPUTS, shedding: 'reference' };
  const line = planLine(parsed, inputs, null);
  JSON.stringify(line);
  if (parsed.kind === 'run') {
    const made = makePlan(parsed.run, inputs);
    if (made.kind === 'plan') {
      const { liveDataDirectory, outputDirectory, runId, runConfig } = made.plan;
      const folder = resolve(liveDataDirectory);
      expect(ROOTS.some((root) => folder.startsWith(root + sep))).toBe(true);
      expect(folder.endsWith(sep + runId)).toBe(true);
      expect(runConfig['daq_input_dir']).toBe(liveDataDirectory);
      expect(liveDataDirectory).not.toContain('\0');
      expect(outputDirectory).toBe(OUTPUT);
      expect(runId).toMatch(/^\d{6,}$/);
      for (const reader of Object.keys(runConfig['readout_threads'] as object)) {
        expect(reader).not.toMatch(/[/\0]/);
      }
    }
  } else {
    expect(parsed.malformed.problems.length).toBeGreaterThan(0);
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    const stored = storedRun(document);
    seenOf(stored);
    draw(runView(readRun(document), NOW));
    const views = malformedViews([stored]);
    if (parsed.kind === 'malformed') expect(views[0]?.problems).toEqual(parsed.malformed.problems);
  }
  hostTargetsOf(document, 'eb3.xenon.local');
  return parsed;
}

function draw(view: ReturnType<typeof runView>): void {
  const text = JSON.stringify(view);
  if (drawn.has(text)) return;
  drawn.add(text);
  toDraw.push(view);
  if (toDraw.length === DRAWN_TOGETHER) drawRuns(toDraw.splice(0));
}

/** Is a problem that was named one that was made? */
function isMade(field: string, changes: readonly Mutation[]): boolean {
  return changes.some(
    ({ path }) => path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`),
  );
}

function check(seen: { documents: number }, numRuns: number, property: fc.IProperty<[unknown]>) {
  fc.assert(property, { numRuns, seed: SEARCH_SEED });
  drawRuns(toDraw.splice(0));
  process.stdout.write(`fuzz: ${seen.documents} documents, FUZZ_SEED=${SEARCH_SEED}\n`);
  expect(seen.documents).toBeGreaterThanOrEqual(numRuns);
}

describe('whatever a run document holds', () => {
  it('nothing throws, what is wrong is named, and no path leads out of the folders', () => {
    const seen = { documents: 0, malformed: 0, viaText: 0 };
    check(
      seen,
      DOCUMENTS.mutated,
      fc.property(mutations, (changes) => {
        const made = changes;
        const document = mutated(wellFormed(LIVE), made);
        seen.documents++;
        const parsed = decide(document);
        if (parsed.kind === 'malformed') {
          seen.malformed++;
          for (const { field, problem } of parsed.malformed.problems) {
            expect(isMade(field, made), `${field}: ${problem}`).toBe(true);
          }
        }
        if (seen.documents % 20 === 0) seen.viaText += throughText(document, parsed) ? 1 : 0;
      }),
    );
    expect(seen.malformed).toBeGreaterThan(DOCUMENTS.mutated / 4);
    expect(seen.malformed).toBeLessThan(DOCUMENTS.mutated);
    expect(seen.viaText).toBeGreaterThan(DOCUMENTS.mutated / 100);
  });

  it('a run that merely lacks optional fields is not malformed', () => {
    const seen = { documents: 0 };
    check(
      seen,
      DOCUMENTS.optional,
      fc.property(omissions, (changes) => {
        seen.documents++;
        const document = mutated(wellFormed(LIVE), changes);
        expect(decide(document)).toMatchObject({ kind: 'run' });
        expect(malformedViews([storedRun(document)])).toEqual([]);
      }),
    );
  });

  it('no value at all makes anything throw', () => {
    const seen = { documents: 0 };
    check(
      seen,
      DOCUMENTS.anything,
      fc.property(anything, (document) => {
        seen.documents++;
        expect(decide(document).kind).toBe('malformed');
      }),
    );
  });

  it.each(REQUIRED)('a run without %s is malformed, and it is named', (path) => {
    for (const value of [REMOVED, null, undefined]) {
      const changes = [{ path, value }];
      // One element fewer is the next element, which is no live data either.
      const document = mutated(wellFormed(LIVE), changes);
      const parsed = decide({ ...document, bootstrax: null });
      if (parsed.kind !== 'malformed') throw new Error(`${path} is not missed`);
      for (const { field } of parsed.malformed.problems) expect(isMade(field, changes)).toBe(true);
    }
  });

  it.each(OPTIONAL)('a run without %s is a run', (path) => {
    for (const value of [REMOVED, null, undefined]) {
      expect(decide(mutated(wellFormed(LIVE), [{ path, value }])).kind).toBe('run');
    }
  });
});

/** The same document as `plan --doc` reads it; false where there is no such text. */
function throughText(document: unknown, parsed: ParsedRun): boolean {
  let text: string;
  let read: unknown;
  try {
    text = BSON.EJSON.stringify(document);
    read = BSON.EJSON.parse(text);
  } catch {
    return false;
  }
  const again = decide(read);
  // Text has no undefined and no functions, so a field may be gone; nothing may become well by that.
  if (again.kind === 'run' && parsed.kind === 'run') {
    expect(again.run.number).toBe(parsed.run.number);
  }
  return true;
}

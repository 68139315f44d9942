import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Progress } from '../../../../src/attempt/attempt.pure.ts';
import {
  type AttemptEnd,
  type ExitCause,
  outcomeOf,
  type Verification,
} from '../../../../src/attempt/outcome.pure.ts';
import { tellingStacks } from '../../../../src/attempt/process/stacks.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import {
  type Cause,
  CAUSE_CLASSES,
  causeOf,
  causeText,
} from '../../../../src/retry/causes.pure.ts';

interface Sample {
  name: string;
  expected: Partial<Cause> & Pick<Cause, 'class'>;
  byHand: boolean;
  verification: Verification;
  progress: Pick<Progress, 'phase' | 'chunks'> | null;
  end: AttemptEnd & { rawStacks?: string | null };
}

const FOLDER = join(import.meta.dirname, 'samples');
const SAMPLES = readdirSync(FOLDER).flatMap(
  (name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Sample[],
);

function meaningOfSample({ end, verification, progress }: Sample): Cause {
  const { rawStacks, ...rest } = end;
  const stacks = rawStacks == null ? null : tellingStacks(rawStacks);
  const judgement = outcomeOf({ ...rest, stacks }, verification);
  if (judgement.kind !== 'failed') throw new Error(`it is judged as ${judgement.kind}`);
  return causeOf({ ...judgement, progress }, defaultRules.targets);
}

describe('the meaning of real ends', () => {
  it.each(SAMPLES.map((sample) => [sample.expected.class, sample.name, sample] as const))(
    '%s: %s',
    (_class, _name, sample) => {
      expect(meaningOfSample(sample)).toMatchObject(sample.expected);
    },
  );

  it('is shown by many samples, most of which nobody made up, and by some of each class', () => {
    expect(SAMPLES.length).toBeGreaterThanOrEqual(100);
    expect(SAMPLES.filter(({ byHand }) => !byHand).length).toBeGreaterThanOrEqual(70);
    const shown = new Set(SAMPLES.map(({ expected }) => expected.class));
    expect([...shown].sort()).toEqual([...CAUSE_CLASSES].sort());
  });

  it('tells nothing of the machine on which they were provoked', () => {
    const text = JSON.stringify(SAMPLES);
    expect(text).not.toMatch(/\/work\/|\/tmp\/|\/root\/|\/home\/|127\.0\.0\.1:/);
  });

  it('is said in words', () => {
    expect(causeText({ class: 'plugin_error', plugin: 'peaks' })).toBe('plugin error in peaks');
    expect(causeText({ class: 'calibration_or_database', plugin: null })).toBe(
      'missing calibration or database',
    );
    expect(causeText({ class: 'input_not_ready', plugin: null })).toBe('input not ready');
  });
});

describe('whatever the words', () => {
  const NEEDED = defaultRules.targets;
  const lines = SAMPLES.flatMap(({ end }) => end.result?.error?.traceback.split('\n') ?? []);
  const text = fc
    .array(fc.oneof(fc.constantFrom(...lines), fc.string()), { maxLength: 40 })
    .map((pieces) => pieces.join('\n'));
  const error = (traceback: string, type: string, message: string): ExitCause => ({
    ...{ kind: 'strax_error', type, message, traceback, plugin: null, file: null },
  });
  const anyCause = fc.oneof(
    fc.tuple(text, text, text).map(([traceback, type, message]) => error(traceback, type, message)),
    text.map((reason): ExitCause => ({ kind: 'host_problem', reason })),
    fc.constantFrom<ExitCause>(
      { kind: 'no_progress' },
      { kind: 'timed_out', which: 'processing' },
      { kind: 'vanished' },
      { kind: 'child_died', code: null, signal: 9 },
    ),
  );

  it('a class is found, and only what all attempts need is never shed', () => {
    fc.assert(
      fc.property(anyCause, text, (cause, traceback) => {
        const outcome = { cause, traceback, progress: null };
        const meaning = causeOf(outcome, NEEDED);
        expect(CAUSE_CLASSES).toContain(meaning.class);
        expect(causeText(meaning)).not.toBe('');
        expect(causeOf(outcome, NEEDED)).toEqual(meaning);
        if (cause.kind !== 'strax_error') return;
        const needed = { ...outcome, cause: { ...cause, plugin: 'raw_records_nv' } };
        const ofNeeded = causeOf(needed, NEEDED);
        if (ofNeeded.class === 'plugin_error') expect(ofNeeded.sheddingHelps).toBe(false);
      }),
    );
  });

  it('however many there are', () => {
    const long = [
      lines.join('\n').repeat(20),
      'a'.repeat(2_000_000),
      '[Errno 28] '.repeat(50_000),
      '  File "x", line 1, in y\n'.repeat(50_000),
      'During handling of the above exception, another exception occurred:\n\n'.repeat(20_000),
    ];
    const begin = performance.now();
    for (const traceback of long) {
      const cause = error(traceback, 'ValueError', traceback);
      causeOf({ cause, traceback, progress: null }, NEEDED);
      causeOf({ cause: { kind: 'no_progress' }, traceback, progress: null }, NEEDED);
    }
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Progress } from '../../../../src/domain/attempt.ts';
import {
  CAUSE_CLASSES,
  causeText,
  meaningOf,
  type Meaning,
} from '../../../../src/domain/causes.ts';
import { defaultRules } from '../../../../src/domain/rules.ts';
import { tellingStacks } from '../../../../src/domain/stacks.ts';
import {
  judgeAttempt,
  type AttemptEnd,
  type Verification,
} from '../../../../src/domain/verdict.ts';

interface Sample {
  name: string;
  expected: Partial<Meaning> & Pick<Meaning, 'class'>;
  byHand: boolean;
  verification: Verification;
  progress: Pick<Progress, 'phase' | 'chunks'> | null;
  end: AttemptEnd & { rawStacks?: string | null };
}

const FOLDER = join(import.meta.dirname, 'samples');
const SAMPLES = readdirSync(FOLDER).flatMap(
  (name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Sample[],
);

function meaningOfSample({ end, verification, progress }: Sample): Meaning {
  const { rawStacks, ...rest } = end;
  const stacks = rawStacks == null ? null : tellingStacks(rawStacks);
  const judgement = judgeAttempt({ ...rest, stacks }, verification);
  if (judgement.kind !== 'failed') throw new Error(`it is judged as ${judgement.kind}`);
  const { cause, traceback, shortOf = null } = judgement;
  return meaningOf({ cause, traceback, shortOf, progress }, defaultRules.targets);
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

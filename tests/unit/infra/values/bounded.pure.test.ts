import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Result } from '../../../../src/attempt/attempt.pure.ts';
import {
  boundedFolder,
  boundedResult,
  boundedServerMessage,
} from '../../../../src/attempt/bounded-attempt.pure.ts';
import { reasonText } from '../../../../src/attempt/outcome.pure.ts';
import { boundedLine, boundedText } from '../../../../src/infra/values/bounded.pure.ts';
import { hostTargetsOf } from '../../../../src/plan/host-targets.pure.ts';
import { fingerprint } from '../../../../src/retry/fingerprint.pure.ts';
import { parseRun } from '../../../../src/run/run.pure.ts';

const HUGE = 'x'.repeat(9_000_000);
const sizeOf = (value: unknown) => JSON.stringify(value).length;

const result = (fields: Partial<Result>): Result => ({
  ...{ version: 1, attempt: 'a'.repeat(24), run: 7, ok: false, error: null, products: [] },
  ...{ skipped: [], seconds: 1, peakMemoryBytes: 1, versions: {} },
  ...fields,
});
const product = (type: string, lineage: Record<string, unknown>) => ({
  ...{ type, location: `/o/${type}`, lineageHash: 'h', lineage, chunks: 1, rows: 1, bytes: 1 },
  ...{ startNs: null, endNs: null },
});

describe('a text that is too long', () => {
  it('keeps its beginning and its end, and says how much is left out', () => {
    const bounded = boundedText(`begin${HUGE}end`, 1000);
    expect(bounded).toMatch(/^begin/);
    expect(bounded).toMatch(/end$/);
    expect(bounded).toMatch(/\[\.\.\. 8999\d\d\d characters left out \.\.\.\]/);
  });

  it('is never longer than allowed, and one that fits is left as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300 }),
        fc.integer({ min: 100, max: 200 }),
        (text, most) => {
          for (const bound of [boundedText, boundedLine]) {
            const bounded = bound(text, most);
            expect(bounded.length).toBeLessThanOrEqual(most);
            if (text.length <= most) expect(bounded).toBe(text);
          }
        },
      ),
    );
  });
});

describe('what a worker says', () => {
  it('fits into a document, however much it is: exception, traceback, versions, warnings', () => {
    const error = {
      ...{ type: HUGE, message: HUGE, traceback: HUGE, plugin: HUGE, file: HUGE },
      origin: 'run' as const,
    };
    const many = Array.from({ length: 100_000 }, (_, i) => `${i} ${'w'.repeat(100)}`);
    const versions = Object.fromEntries(many.map((name) => [`${name}\0`, HUGE.slice(0, 10_000)]));
    const bounded = boundedResult(
      result({ error, skipped: [...many, HUGE], warnings: [HUGE, ...many], versions }),
    );
    expect(sizeOf(bounded)).toBeLessThan(150_000);
    expect(Object.keys(bounded.versions).join('')).not.toContain('\0');
    expect(bounded.skipped).toHaveLength(21);
    expect(bounded.skipped.at(-1)).toContain('99981 more');
  });

  it('is left as it is where it is as usual', () => {
    const usual = result({ ok: true, products: [product('peaks', { peaks: ['P', '1', {}] })] });
    expect(boundedResult(usual)).toEqual(usual);
  });

  it('with a lineage that no document takes is listed without it, and that is told', () => {
    const bounded = boundedResult(
      result({ ok: true, products: [product('peaks', { a: HUGE }), product('hits', { b: 1 })] }),
    );
    expect(bounded.products.map(({ lineage }) => lineage)).toEqual([{}, { b: 1 }]);
    expect(bounded.warnings).toEqual([expect.stringContaining('lineage of peaks')]);
    const folder = { type: 'peaks', location: '/o', lineageHash: 'h', lineage: { a: HUGE } };
    expect(boundedFolder(folder).lineage).toEqual({});
  });

  it('of a context that fails fits too', () => {
    const message = { type: 'context_failed' as const, summary: HUGE, traceback: HUGE };
    expect(sizeOf(boundedServerMessage(message))).toBeLessThan(60_000);
  });

  it('names a fault, and shows a reason, that can be read', () => {
    const cause = { type: 'E', message: HUGE, traceback: '', plugin: null, file: null };
    expect(fingerprint({ kind: 'strax_error', ...cause }).length).toBeLessThan(1000);
    expect(reasonText('eb3', HUGE, HUGE).length).toBeLessThan(50_000);
  });
});

describe('what a document says', () => {
  it('of a hundred thousand faults names the first twenty, each in short', () => {
    const readers = { [HUGE]: 0 };
    const parsed = parseRun({
      ...{ number: 1, start: new Date(0), detectors: ['tpc'], tags: new Array(100_000).fill(5) },
      ...{ data: [{ type: 'live', host: 'daq', location: '/l' }], mode: HUGE, status: HUGE },
      daq_config: { processing_threads: readers },
      bootstrax: { state: 'failed', reason: HUGE, host: HUGE },
    });
    expect(parsed.kind).toBe('malformed');
    const { oddities, problems, bootstrax } = (
      parsed as Extract<typeof parsed, { kind: 'malformed' }>
    ).malformed;
    expect(problems.length).toBe(1);
    expect(oddities.length).toBe(20);
    expect(sizeOf({ oddities, problems, bootstrax })).toBeLessThan(80_000);
  });

  it('of the targets of a host is broken beyond what any context has', () => {
    const document = (targets: string[]) => ({
      ambe_modes: { eb3: 'm' },
      modes_definitions: { m: { targets, post_process: [] } },
    });
    expect(hostTargetsOf(document(['peaks']), 'eb3').kind).toBe('targets');
    expect(hostTargetsOf(document([HUGE]), 'eb3').kind).toBe('broken');
    expect(hostTargetsOf(document(new Array<string>(10_000).fill('a')), 'eb3').kind).toBe('broken');
  });
});

import { act, cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { RunRow } from '../../src/readmodel/run-row.pure.ts';
import { connect, disconnect } from '../../web/src/live.ts';
import { Working } from '../../web/src/pages/now/working.tsx';
import { NOW, Stream } from './stream.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Stream);
  connect();
});
afterEach(() => {
  disconnect();
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const ago = (seconds: number) => new Date(Date.parse(NOW) - seconds * 1000).toISOString();

/** A busy run of which 42 % are read. */
function busy(progress: Partial<NonNullable<RunRow['progress']>>): Partial<RunRow> {
  return {
    ...{ id: 'a', run: 7, condition: 'busy', mode: 'radon', detectors: ['tpc'], host: 'eb0' },
    ...{ start: ago(300), end: ago(200), waitsFor: null },
    progress: {
      ...{ phase: 'processing', chunks: 4, coveredSeconds: 42, fraction: 0.42, mbPerSecond: 1 },
      ...{ bytes: 1, memoryBytes: 1, estimatedEnd: null, behindSeconds: null, movedAt: null },
      ...{ stillSeconds: null, waitsFor: null, isStalled: false, ...progress },
    },
  };
}

async function shown(run: Partial<RunRow>): Promise<string> {
  render(<Working />);
  await act(() => Stream.last.tells('working', [run]));
  return screen.getByRole('listitem').textContent ?? '';
}

test('a run that moves says how much is read and how long it will take', async () => {
  const text = await shown(busy({ estimatedEnd: ago(-45) }));
  expect(text).toContain('42 %, about 45 s left');
});

test('a run without a moving figure has no time left', async () => {
  const text = await shown(busy({ stillSeconds: 60 }));
  expect(text).toContain('42 % read');
  expect(text).not.toContain('left');
});

test('a stalled run says so in amber, since when, and for what it waits', async () => {
  const text = await shown({
    ...busy({ isStalled: true, stillSeconds: 240, waitsFor: 'chunk 1 of reader0' }),
    condition: 'stalled',
  });
  expect(text).toContain('stalled');
  expect(text).toContain('no progress for 4 min: waits for chunk 1 of reader0');
  expect(text).not.toContain('left');
  expect(screen.getByRole('img', { name: /Processed of run 7/ }).getAttribute('class')).toContain(
    'tone-warn',
  );
});

import { act, cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { connect, disconnect, usePanel } from '../../web/src/live.ts';
import { NOW, Stream } from './stream.ts';

function Working() {
  const { data, stale, why } = usePanel('working');
  return (
    <p>
      {data === null ? 'nothing yet' : `${data.length} runs`}
      {stale && `, old: ${why ?? ''}`}
    </p>
  );
}

const STATUS = { now: NOW, failing: {}, away: null, ages: { working: 0 } };
const shown = () => screen.getByText(/nothing yet|runs/).textContent;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Stream);
  connect();
  render(<Working />);
});
afterEach(() => {
  disconnect();
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a panel is empty until the stream sends it, and then shows it as fresh', async () => {
  expect(shown()).toBe('nothing yet');
  await act(() => {
    Stream.last.send('panel', { panel: 'working', data: [], staleAfterSeconds: 5 });
    Stream.last.send('status', STATUS);
  });
  expect(shown()).toBe('0 runs');
});

test('what cannot be read any more stays, and is old at once with the reason', async () => {
  await act(() => {
    Stream.last.send('panel', { panel: 'working', data: [], staleAfterSeconds: 5 });
    Stream.last.send('status', { ...STATUS, failing: { working: 'the database is away' } });
  });
  expect(shown()).toBe('0 runs, old: the database is away');
});

test('what a silent server has sent grows old by itself', async () => {
  await act(() => {
    Stream.last.send('panel', { panel: 'working', data: [], staleAfterSeconds: 5 });
    Stream.last.send('status', STATUS);
  });
  await act(() => {
    vi.advanceTimersByTime(12_000);
  });
  expect(shown()).toMatch(/^0 runs, old: .*server/);
});

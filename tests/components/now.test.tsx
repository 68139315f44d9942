import { act, cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { AttentionItem } from '../../src/readmodel/attention-item.pure.ts';
import type { RunRow } from '../../src/readmodel/run-row.pure.ts';
import { adviceFor } from '../../src/retry/advice.pure.ts';
import { connect, disconnect } from '../../web/src/live.ts';
import { Attention } from '../../web/src/pages/now/attention.tsx';
import { Working } from '../../web/src/pages/now/working.tsx';
import { readSession } from '../../web/src/session.ts';
import { OPERATOR, serve } from './server.ts';
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

type Cause = 'corrupt_data' | 'operator';

/** A run that is given up for this cause. */
function givenUp(run: number, cause: Cause, more: Partial<AttentionItem> = {}): AttentionItem {
  const advice = adviceFor(cause);
  const button = cause === 'operator' ? ({ kind: 'reprocess', host: null } as const) : null;
  return {
    ...{ kind: 'given_up', run, host: 'eb0', since: ago(run * 60), todo: advice.check },
    ...{ what: `Run ${run} is given up: ${advice.says}`, detail: `OSError in /live/${run}` },
    ...{ cause: advice.says, key: `given_up:${run}`, seen: '', acknowledged: null },
    advice: { ...advice, trouble: cause, button, fields: [] },
    ...more,
  };
}

const MINE = { by: 'anna', reason: 'see the elog', at: NOW, expires: null };

async function shownItems(items: AttentionItem[]): Promise<HTMLElement[]> {
  serve({ 'GET /api/session': () => ({ body: OPERATOR }) });
  await act(readSession);
  render(<Attention />);
  await act(() => Stream.last.tells('attention', items));
  return screen.getAllByRole('listitem');
}

test('runs of one cause are one item with one headline, the runs and what to do', async () => {
  const items = [1, 2, 3].map((run) => givenUp(run, 'corrupt_data'));
  const [item, ...more] = await shownItems(items);
  expect(more).toEqual([]);
  expect(item?.textContent).toContain('3 runs are given up: corrupt data');
  expect(screen.getByRole('link', { name: '2' }).getAttribute('href')).toBe('/runs/2');
  expect(item?.textContent).toContain('Do not reprocess it');
  expect(item?.textContent).toContain('Call the DAQ expert.');
});

test('where no button helps there is none but the one that says who takes care of it', async () => {
  await shownItems([givenUp(1, 'corrupt_data')]);
  expect(screen.getAllByRole('button').map((each) => each.textContent)).toEqual(['Acknowledge']);
});

test('the button that helps is coloured', async () => {
  await shownItems([givenUp(1, 'operator')]);
  const button = screen.getByRole('button', { name: 'Reprocess with all targets' });
  expect(button.className).toContain('advised');
});

test('the text of an exception stands behind the headline, on demand', async () => {
  await shownItems([givenUp(1, 'corrupt_data')]);
  expect(screen.getByText('OSError in /live/1').closest('details')?.open).toBe(false);
});

test('a new run of a cause that somebody takes care of says who that is', async () => {
  const items = [givenUp(1, 'corrupt_data', { acknowledged: MINE }), givenUp(2, 'corrupt_data')];
  const [item] = await shownItems(items);
  expect(item?.textContent).toContain('Run 2 is given up: corrupt data');
  expect(item?.textContent).toContain('anna takes care of 1 more of this cause.');
});

const AWAY = { since: NOW, database: 'runs', why: 'connection refused' };

test('a database that is away is the first item, with since when and what goes on meanwhile', async () => {
  await shownItems([givenUp(1, 'operator')]);
  await act(() =>
    Stream.last.tells('attention', [givenUp(1, 'operator')], {
      ...{ now: ago(-60), away: AWAY },
      failing: { attention: 'the runs database is away' },
    }),
  );
  const [first, second] = screen.getAllByRole('listitem');
  expect(first?.textContent).toContain('The runs database has not answered for 60 s.');
  expect(first?.textContent).toContain('Hosts go on with the runs that they have');
  expect(first?.textContent).toContain('as of 12:00:00 UTC');
  expect(second?.textContent).toContain('Run 1 is given up');
});

test('while the database is away buttons rest and no time counts on', async () => {
  await shownItems([givenUp(1, 'operator')]);
  const age = () => screen.getByText(/^\d+ (s|min) ago$/).textContent;
  await act(() => Stream.last.tells('attention', [givenUp(1, 'operator')], { away: AWAY }));
  const before = age();
  await act(() => {
    vi.advanceTimersByTime(4000);
  });
  expect(age()).toBe(before);
  for (const button of screen.getAllByRole<HTMLButtonElement>('button')) {
    expect(button.disabled).toBe(true);
  }
});

import { act, cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, test, vi } from 'vitest';

import { ActionButtons } from '../../web/src/actions/buttons.tsx';
import { ActionDialog } from '../../web/src/actions/dialog.tsx';
import { readSession } from '../../web/src/session.ts';
import { OPERATOR, type Request, serve, VIEWER } from './server.ts';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const PREVIEW = {
  now: '2026-03-01T12:00:00Z',
  effects: [
    { run: 7, seen: 'seven', possible: true, effect: 'The run is held.' },
    { run: 8, seen: 'eight', possible: false, effect: 'The run is done.' },
  ],
};

/** The buttons of two runs and the dialog, as somebody sees them. */
async function shownTo(session: typeof OPERATOR): Promise<Request[]> {
  const requests = serve({
    'GET /api/session': () => ({ body: session }),
    'POST /api/actions/preview': () => ({ body: PREVIEW }),
    'POST /api/actions': () => ({ body: { actions: [] } }),
  });
  await act(readSession);
  render(
    <>
      <ActionButtons
        about="two runs"
        offers={[
          { kind: 'hold', fits: true },
          { kind: 'release', fits: false },
        ]}
        targets={[{ run: 7 }, { run: 8 }]}
      />
      <ActionDialog />
    </>,
  );
  return requests;
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });

test('who may only look sees no button', async () => {
  await shownTo(VIEWER);
  expect(screen.queryAllByRole('button')).toEqual([]);
});

test('an action that makes no sense now stays in its place, and cannot be pressed', async () => {
  await shownTo(OPERATOR);
  expect(button('Hold').disabled).toBe(false);
  expect(button('Release').disabled).toBe(true);
});

test('nothing is requested before somebody has seen the effects and given a reason', async () => {
  const requests = await shownTo(OPERATOR);
  fireEvent.click(button('Hold'));
  expect(await screen.findByText('The run is held.')).toBeTruthy();
  expect(screen.getByText('The run is done.')).toBeTruthy();
  const asked = () => requests.filter(({ path }) => path === '/api/actions');
  expect(asked()).toEqual([]);
  const reason = screen.getByLabelText('Reason');
  fireEvent.input(reason, { target: { value: ' noisy ' } });
  fireEvent.submit(reason.closest('form')!);
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  // What cannot be held is left out, and what was seen goes along.
  expect(asked()[0]).toMatchObject({
    headers: { 'x-bootstrax-csrf': 'token' },
    body: { kind: 'hold', reason: 'noisy', targets: [{ run: 7, seen: 'seven' }] },
  });
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

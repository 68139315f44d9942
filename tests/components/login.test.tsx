import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, test, vi } from 'vitest';

import { LoginPage, WhoAmI } from '../../web/src/login.tsx';
import { OPERATOR, serve } from './server.ts';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function fillIn(name: string, password: string): void {
  fireEvent.input(screen.getByLabelText('Name'), { target: { value: name } });
  fireEvent.input(screen.getByLabelText('Password'), { target: { value: password } });
  fireEvent.submit(screen.getByLabelText('Name').closest('form')!);
}

test('a refused login says why, and can be tried again', async () => {
  const requests = serve({
    'POST /api/session': ({ body }) =>
      (body as { password: string }).password === 'right'
        ? { body: OPERATOR }
        : { status: 401, body: { error: 'wrong name or password' } },
  });
  render(
    <>
      <WhoAmI />
      <LoginPage name={null} />
    </>,
  );
  fillIn(' ada ', 'wrong');
  expect(await screen.findByText('wrong name or password')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Log in' }).disabled).toBe(false);
  fillIn(' ada ', 'right');
  expect((await screen.findByText('operator')).className).toBe('who-role');
  expect(requests.at(-1)?.body).toEqual({ name: 'ada', password: 'right' });
});

test('a server that does not answer is told as such, and not as a wrong password', async () => {
  serve({});
  render(<LoginPage name={null} />);
  fillIn('ada', 'right');
  await vi.waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(/server/));
});

test('somebody who is known but may not look is told so', () => {
  render(<LoginPage name="eve" />);
  expect(screen.getByText(/^eve .*viewer.*operator/)).toBeTruthy();
});

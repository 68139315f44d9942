import { cleanup, render, screen } from '@testing-library/preact';
import { afterEach, describe, expect, test } from 'vitest';

import { Meter, Panel, Until } from '../../web/src/parts.tsx';

afterEach(cleanup);

const FRESH = { ageSeconds: 2, stale: false, why: null };

describe('a panel', () => {
  test('shows its content and its age', () => {
    render(
      <Panel title="Hosts" fresh={FRESH} loading={false}>
        two hosts
      </Panel>,
    );
    const panel = screen.getByRole('region', { name: 'Hosts' });
    expect(panel.textContent).toContain('two hosts');
    expect(panel.getAttribute('data-stale')).toBe('false');
    expect(screen.queryByRole('status')).toBeNull();
  });

  test('whose content is old keeps it, is grey, and says how old it is and why', () => {
    render(
      <Panel
        title="Hosts"
        fresh={{ ageSeconds: 90, stale: true, why: 'the database is away' }}
        loading={false}
      >
        two hosts
      </Panel>,
    );
    expect(screen.getByRole('region').className).toContain('stale');
    expect(screen.getByText('two hosts')).toBeTruthy();
    const age = screen.getByRole('status');
    expect(age.textContent).toMatch(/old/);
    expect(age.title).toBe('the database is away');
  });

  test('that was never read says why, and shows no content', () => {
    render(
      <Panel title="Hosts" fresh={{ ...FRESH, ageSeconds: null, why: 'no access' }} loading>
        two hosts
      </Panel>,
    );
    expect(screen.getByRole('status').textContent).toMatch(/no access/);
    expect(screen.queryByText('two hosts')).toBeNull();
  });
});

test('a time to come is counted down, and one that has passed is said to be due', () => {
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  render(
    <>
      <Until at={at(3600)} />
      <Until at={at(-3600)} />
    </>,
  );
  const [coming, passed] = [...document.querySelectorAll('time')].map((each) => each.textContent);
  expect(coming).toMatch(/^in /);
  expect(passed).not.toMatch(/^in /);
});

test('a bar never leaves its frame, and says its share to those who do not see it', () => {
  render(
    <>
      <Meter label="Disk" fraction={1.7} />
      <Meter label="Memory" fraction={-1} />
    </>,
  );
  expect(screen.getByRole('img', { name: 'Disk: 100 %' })).toBeTruthy();
  expect(screen.getByRole('img', { name: 'Memory: 0 %' })).toBeTruthy();
});

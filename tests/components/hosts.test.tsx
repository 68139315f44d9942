import { cleanup, render, screen } from '@testing-library/preact';
import { afterEach, expect, test } from 'vitest';

import { hostView } from '../../src/host/host-document.pure.ts';
import { type HostCard, hostCard } from '../../src/readmodel/hosts.pure.ts';
import { HostCards } from '../../web/src/host-cards.tsx';

afterEach(cleanup);

const NOW = new Date('2026-01-01T12:00:00Z');
const LIMITS = { diskPercent: 95, presumedDeadSeconds: 120 };

/** The card of an idle host whose newest heartbeat is this old. */
function cardOf(ageSeconds: number): HostCard {
  const time = new Date(NOW.getTime() - ageSeconds * 1000);
  const said = { host: 'eb0', state: 'idle', time, extras: { accepting: true } };
  const sign = {
    ...{ host: 'eb0', atMs: time.getTime(), writer: null, targets: [], cores: null },
    ...{ cpuPercent: 10, memoryPercent: 43, swapPercent: 0, diskPercent: 71, liveDiskPercent: 5 },
    ...{ load: 1, clockSkewSeconds: 0 },
  };
  return hostCard(hostView(said, NOW, LIMITS.presumedDeadSeconds), [sign], LIMITS, NOW);
}

function shown(ageSeconds: number): string {
  render(<HostCards hosts={[cardOf(ageSeconds)]} />);
  return screen.getByRole('listitem').textContent ?? '';
}

test('a host that is heard says what is', () => {
  const text = shown(5);
  expect(text).toContain('43 %');
  expect(text).not.toContain('was');
});

test('of a silent host the last figures are told as of the past, without a forecast', () => {
  const text = shown(600);
  expect(text).toContain('was 43 %');
  expect(text).toContain('was 71 %');
  expect(text).not.toContain('disk lasts');
});

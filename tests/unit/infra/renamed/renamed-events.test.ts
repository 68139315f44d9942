import pino from 'pino';
import { expect, it } from 'vitest';

import { RENAMED_EVENT_HOOKS } from '../../../../src/infra/renamed/renamed-events.ts';
import {
  RENAMED_EVENTS,
  RENAMED_METRICS,
} from '../../../../src/infra/renamed/renamed-names.pure.ts';

function linesOf(log: (logger: pino.Logger) => void): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
  log(pino({ hooks: RENAMED_EVENT_HOOKS, base: null, timestamp: false }, { write }));
  return lines;
}

it('a renamed event is logged under both names, and the second line says the new one', () => {
  const lines = linesOf((log) => log.error({ event: 'host.silent', host: 'eb1' }, 'eb1 is silent'));
  expect(lines).toEqual([
    { level: 50, event: 'host.silent', host: 'eb1', msg: 'eb1 is silent' },
    {
      ...{ level: 50, event: 'host.dead', host: 'eb1', renamed_to: 'host.silent' },
      msg: 'eb1 is silent [the event host.dead is called host.silent since 0.2.0]',
    },
  ]);
});

it('a line of another event, without fields, or below the level of the log is written as before', () => {
  const lines = linesOf((log) => {
    log.info({ event: 'run.claimed', run: 1 }, 'claimed');
    log.info('only a text');
    log.debug({ event: 'host.silent' }, 'not shown');
  });
  expect(lines).toEqual([
    { level: 30, event: 'run.claimed', run: 1, msg: 'claimed' },
    { level: 30, msg: 'only a text' },
  ]);
});

it('no former name is the present name of anything, and none stands for two', () => {
  for (const renamed of [RENAMED_EVENTS, RENAMED_METRICS]) {
    const former = Object.values(renamed);
    expect(new Set(former).size).toBe(former.length);
    expect(former.filter((name) => Object.hasOwn(renamed, name))).toEqual([]);
  }
});

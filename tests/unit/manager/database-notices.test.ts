import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { createCaller } from '../../../src/infra/mongo/call.ts';
import type { StoreEvent } from '../../../src/infra/mongo/connection.port.ts';
import { DatabaseNews } from '../../../src/manager/database-notices.ts';
import { HandTasks } from '../../support/hand-tasks.ts';

interface Line {
  level: string;
  text: string;
}

/** What a manager says about its databases, with a clock that is turned by hand. */
class Desk {
  seconds = 0;
  readonly lines: Line[] = [];
  readonly told: string[] = [];
  readonly news: DatabaseNews;

  constructor() {
    const line = (level: string) => (_: object, text: string) => this.lines.push({ level, text });
    this.news = new DatabaseNews({
      host: 'eb3',
      clock: { monotonicSeconds: () => this.seconds },
      log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      tasks: new HandTasks(),
      store: {
        daqLog: {
          write: ({ message }) => {
            this.told.push(message);
            return Promise.resolve();
          },
        },
      },
    });
  }

  loud(): string[] {
    return this.lines.flatMap(({ level, text }) => (level === 'error' ? [text] : []));
  }
}

const refused = (operation: string, reason = 'not allowed'): StoreEvent => ({
  ...{ kind: 'refused', database: 'runs', operation, reason, refusal: 'unauthorized' },
});

describe('what a database refuses until a person mends it', () => {
  it('is said once, loudly, with what to do, also in the log of the DAQ', () => {
    const desk = new Desk();
    for (let look = 0; look < 100; look++) {
      desk.seconds += 10;
      desk.news.tell(refused('updating runs'));
    }
    expect(desk.loud()).toHaveLength(1);
    expect(desk.loud()[0]).toMatch(/^not allowed\. Waiting does not help: .*doctor/);
    expect(desk.told).toEqual([`eb3: ${desk.loud()[0]}`]);
    desk.seconds += 3600;
    desk.news.tell(refused('updating runs'));
    expect(desk.loud()).toHaveLength(2);
  });

  it('keeps the host from runs while it is in the way of them, and is tried again', () => {
    const desk = new Desk();
    expect(desk.news.refusal).toBeNull();
    desk.news.tell(refused('updating runs'));
    expect(desk.news.refusal).toMatch(/not allowed/);
    desk.seconds += 61;
    expect(desk.news.refusal).toBeNull();
    desk.news.tell(refused('updating runs'));
    desk.news.tell({ kind: 'granted', database: 'runs', operation: 'updating runs' });
    expect(desk.news.refusal).toBeNull();
  });

  it.each([
    'opening a change stream',
    'creating index number of runs',
    'updating bootstrax_alarms',
  ])('is said and keeps no run away where runs are taken without it: %s', (operation) => {
    const desk = new Desk();
    desk.news.tell(refused(operation));
    expect(desk.lines.filter(({ level }) => level !== 'debug')).toHaveLength(1);
    expect(desk.news.refusal).toBeNull();
  });

  it.each([
    [13, 'unauthorized'],
    [18, 'unauthorized'],
    [59, 'unsupported'],
  ] as const)(
    'is told by each call that meets it, and when it is over: code %i',
    async (code, refusal) => {
      const events: StoreEvent[] = [];
      const caller = createCaller('runs', 5, (event) => events.push(event));
      const error = new MongoServerError({ code, message: 'no' });
      await expect(caller.once('updating runs', () => Promise.reject(error))).rejects.toThrow();
      await caller.once('updating runs', () => Promise.resolve(1));
      await caller.once('updating runs', () => Promise.resolve(1));
      expect(events.filter(({ kind }) => kind === 'refused' || kind === 'granted')).toMatchObject([
        { kind: 'refused', operation: 'updating runs', refusal },
        { kind: 'granted', operation: 'updating runs' },
      ]);
    },
  );
});

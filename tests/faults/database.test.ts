import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../support/lab.ts';
import { Proxy } from '../support/proxy.ts';
import { ALPHA, config, directoryOf, doneOnce, readJson, SHORT_RUN } from './support.ts';

const NOT_WRITABLE_PRIMARY = 10107;
const PRIMARY_STEPPED_DOWN = 189;
const INTERRUPTED_DUE_TO_REPL_STATE_CHANGE = 11602;
const COMMANDS = ['update', 'find', 'insert', 'aggregate', 'findAndModify', 'getMore'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ testCommands: true });
});
afterAll(() => lab.end());

describe('fail-over is an ordinary event', () => {
  let manager: ManagerProcess;
  beforeAll(async () => {
    manager = await lab.manager({ config: config() });
    await manager.event('worker.ready');
  });
  afterEach(async ({ task }) => {
    await lab.failCommands(COMMANDS, { times: 0 });
    if (task.result?.state === 'fail') console.error(manager.story());
  });
  afterAll(() => manager.kill());

  test.each([
    ['NotWritablePrimary', NOT_WRITABLE_PRIMARY],
    ['PrimarySteppedDown', PRIMARY_STEPPED_DOWN],
    ['InterruptedDueToReplStateChange', INTERRUPTED_DUE_TO_REPL_STATE_CHANGE],
    ['closed connections', undefined],
  ])('%s at the claim, while busy and at the conclusion', async (_name, code) => {
    const fault = code === undefined ? {} : { code };
    await lab.failCommands(COMMANDS, { times: 5, ...fault });
    const taking = lab.takeRuns(['--seconds', '4', '--speed', '1', '--chunk-seconds', '1']);
    const known = manager.lines.length;
    const started = await until('the run to be started', () =>
      manager.lines.slice(known).find((line) => line['event'] === 'attempt.started'),
    );
    const number = Number(started['run']);
    const directory = directoryOf(lab, ALPHA, started['attempt']);
    await lab.failCommands(COMMANDS, { times: 'always', ...fault });
    await until('heartbeats to be missed', standsStill(number));
    await lab.failCommands(COMMANDS, { times: 0 });
    const { time } = (await lab.run(number)).bootstrax;
    await until('the heartbeat to be renewed', async () => {
      const now = (await lab.run(number)).bootstrax.time;
      return Number(now) > Number(time);
    });
    await lab.failCommands(COMMANDS, { times: 'always', ...fault });
    await taking;
    await until('the result to be on disk', () => readJson(directory, 'result.json'));
    await until('the outcome to be kept back', standsStill(number));
    expect((await lab.run(number)).bootstrax.state).toBe('busy');
    await lab.failCommands(COMMANDS, { times: 0 });
    await doneOnce(lab, number);
    expect(manager.child.exitCode).toBeNull();
    const told = manager.lines.filter((line) => line['event'] === 'database.missed');
    expect(told.length).toBeGreaterThan(0);
    // Each kind of call once a minute, however many fail.
    expect(told.length).toBeLessThan(30);
    for (const { msg } of told)
      expect(msg).toMatch(
        /(\((runs|daq) database\)|the (runs|daq) database at \S+): .* tried again$/,
      );
  });

  /** Whether the time of a run has not been renewed for two heartbeats' time. */
  function standsStill(number: number): () => Promise<boolean> {
    let last: unknown;
    let since = performance.now();
    return async () => {
      const time = Number((await lab.run(number)).bootstrax.time);
      if (time !== last) since = performance.now();
      last = time;
      return performance.now() - since > 2000;
    };
  }
});

describe('answers that are lost', () => {
  let proxy: Proxy;
  let manager: ManagerProcess;
  beforeAll(async () => {
    proxy = await Proxy.to(lab.url);
    manager = await lab.manager({ config: config(), env: { BOOTSTRAX_MONGO_URL: proxy.url } });
    await manager.event('worker.ready');
  });
  afterAll(async () => {
    await manager.kill();
    await proxy.close();
  });

  const updateOf = (collection: string, word: string) => (command: Record<string, unknown>) =>
    command['update'] === collection && String(command['text']).includes(word);
  const WRITES = {
    claim: updateOf('runs', 'considering'),
    'begin of the history': updateOf('bootstrax_attempts', 'failures'),
    start: updateOf('runs', 'started_processing'),
    'entries of data': updateOf('runs', 'FileSytemBackend'),
    'end of the history': updateOf('bootstrax_attempts', 'peakMemoryBytes'),
    conclusion: updateOf('runs', 'last_attempt'),
  };

  test.each(Object.keys(WRITES) as (keyof typeof WRITES)[])(
    'of the %s: the write is done once and the run not lost',
    async (write) => {
      for (const then of ['cut', 'hang'] as const) {
        const loss = proxy.loseAnswers(WRITES[write], 1, then);
        const [number] = await lab.takeRuns(SHORT_RUN);
        await doneOnce(lab, number!);
        expect(loss.happened, `${write}, ${then}`).toBe(1);
      }
    },
  );

  test('a conclusion that lands at the beginning of an outage is not taken for a lost run', async () => {
    const loss = proxy.loseAnswers(WRITES.conclusion, 1, 'hang');
    const [number] = await lab.takeRuns(SHORT_RUN);
    await until('the conclusion to have landed', () => loss.happened === 1);
    proxy.mode = 'silent';
    await manager.event('database.waiting', { what: `the outcome of run ${number}` });
    proxy.mode = 'pass';
    proxy.drop();
    await manager.event('attempt.ended', { run: number, outcome: 'done' });
    await doneOnce(lab, number!);
  });
});

import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const TAKE = ['--seconds', '4', '--speed', '0', '--rate', '10'];

/** A healthy run document of the simulator, to be spoilt. */
async function template(lab: Lab): Promise<Document> {
  const [number] = await lab.takeRuns(TAKE);
  const { _id, bootstrax, ...fields } = await lab.run(number!);
  await lab.runs.deleteOne({ _id });
  return fields;
}

describe('the fault of the run', () => {
  let lab: Lab;
  let manager: ManagerProcess;

  beforeAll(async () => {
    lab = await Lab.start();
    manager = await lab.manager({
      config: smallMachine({ retry: { baseSeconds: 600 } }),
    });
    await manager.event('manager.ready');
  });
  afterAll(() => lab.end());

  test('a corrupt chunk fails the run with a reason that names run and file', async () => {
    const [number] = await lab.takeRuns([...TAKE, '--fault', 'corrupt-chunk']);
    const before = await readdir(lab.live);
    const run = await lab.reached(number!, ['failed']);
    expect(run.bootstrax.n_failures).toBe(1);
    expect(run.bootstrax.next_retry).toBeInstanceOf(Date);
    expect(run.bootstrax.reason).toMatch(/^alpha\.test\.local:\n/);
    expect(run.bootstrax.reason).toContain(`${lab.live}/${String(number).padStart(6, '0')}/`);
    expect(run['data']).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'live', host: 'daq' })]),
    );
    expect(await readdir(lab.live)).toEqual(before);
    await until('the folders of the failed attempt to go', async () => {
      return (await readdir(lab.output)).length === 0;
    });
  });

  test('a run that has ended without live data is set aside and its folder named; another run is not disturbed', async () => {
    const fields = await template(lab);
    const number = 7000;
    await lab.insertRuns({ ...fields, number, bootstrax: { state: null } });
    const [good] = await lab.takeRuns(TAKE);
    const run = await lab.reached(number, ['failed']);
    expect(run.bootstrax).toMatchObject({ outcome: 'set_aside' });
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    expect(run.bootstrax.reason).toContain(join(lab.live, '007000'));
    await lab.reached(good!, ['done']);
  });

  test.each<[string, string, (fields: Document) => Document]>([
    ['no daq_config', 'daq_config', ({ daq_config, ...rest }) => rest],
    [
      'no thread table',
      'daq_config.processing_threads',
      ({ daq_config, ...rest }) => {
        const { processing_threads, ...others } = daq_config as Document;
        return { ...rest, daq_config: others };
      },
    ],
    ['data absent', 'data', ({ data, ...rest }) => rest],
    ['data empty', 'data', (fields) => ({ ...fields, data: [] })],
    ['detectors null', 'detectors', (fields) => ({ ...fields, detectors: null })],
    ['number not an integer', 'number', (fields) => ({ ...fields, number: 'seven' })],
  ])('malformed (%s): set aside once, with the field named', async (_, field, spoil) => {
    const fields = await template(lab);
    const mode = `spoilt-${Math.random()}`;
    const document: Document = { ...spoil({ ...fields, number: 8000 }), mode };
    const [insertedId] = await lab.insertRuns({ ...document, bootstrax: { state: null } });
    const run = await until('the run to be set aside', async () => {
      const found = await lab.runs.findOne({ _id: insertedId! });
      return found?.bootstrax.state === 'failed' ? found : null;
    });
    expect(run.bootstrax.next_retry).toBeUndefined();
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    expect(run.bootstrax.outcome).toBe('set_aside');
    expect(run.bootstrax.malformed?.map((problem) => problem.field)).toContain(field);
    expect(run.bootstrax.reason).toContain(field);
    const { _id, bootstrax, ...left } = run;
    expect(left).toEqual(document);
    await lab.runs.deleteOne({ _id });
    const [good] = await lab.takeRuns(TAKE);
    await lab.reached(good!, ['done']);
    expect(
      manager.lines.filter((line) => line['event'] === 'run.set_aside').length,
    ).toBeGreaterThan(0);
  });
});

describe('the fault of the host', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab.end());

  test('a context that does not import: nothing is claimed, nothing is counted', async () => {
    const manager = await lab.manager({
      context: 'no_such_module:context',
      host: 'beta.test.local',
    });
    const line = await manager.event('host.not_accepting', { kind: 'context' });
    expect(String(line['msg'])).toContain('no_such_module');
    const [number] = await lab.takeRuns(TAKE);
    await until('a heartbeat that says why', async () => {
      const host = await lab.runsDatabase
        .collection('bootstrax')
        .findOne({ host: 'beta.test.local' });
      return JSON.stringify(host ?? {}).includes('no_such_module');
    });
    expect((await lab.run(number!)).bootstrax).toEqual({ state: null });
    await manager.kill();
    // Another manager whose context is well takes it.
    await lab.manager({ host: 'gamma.test.local' });
    await lab.reached(number!, ['done']);
  });

  test('an output folder that is not there: nothing is claimed; it resumes by itself', async () => {
    const output = join(lab.root, 'late-output');
    const manager = await lab.manager({
      host: 'delta.test.local',
      env: { BOOTSTRAX_OUTPUT: output, BOOTSTRAX_ROLE: 'primary' },
    });
    // Only this host may take the run.
    await manager.event('host.not_accepting', { kind: 'folder' });
    await mkdir(output);
    await manager.event('host.accepting');
    await chmod(output, 0o755);
    await rm(output, { recursive: true });
    await until(
      'the folder to be missed again',
      () => manager.lines.filter((line) => line['event'] === 'host.not_accepting').length >= 2,
    );
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { createCaller } from '../../../../src/infra/mongo/call.ts';
import { StoreError } from '../../../../src/infra/mongo/store-error.ts';

const caller = createCaller('runs', 0.01, () => undefined);
const away = (transient: boolean) =>
  new StoreError('unreachable', 'creating an index: it went away', { transient });

it('what lasts longer than a call may is waited for', async () => {
  const build = () => delay(50, 'built');
  expect(await caller.lasting('creating an index', 600, build)).toBe('built');
  await expect(caller.once('creating an index', build)).rejects.toThrow('no answer within 0.01 s');
});

it('it is asked again when a connection was lost meanwhile', async () => {
  let tries = 0;
  const build = () => (++tries < 2 ? Promise.reject(away(true)) : Promise.resolve('built'));
  expect(await caller.lasting('creating an index', 600, build)).toBe('built');
  expect(tries).toBe(2);
});

it('it ends with its limit, and at once where no server is reached', async () => {
  const never = () => new Promise(() => undefined);
  await expect(caller.lasting('creating an index', 0.05, never)).rejects.toThrow('no answer');
  const gone = () => Promise.reject(away(false));
  await expect(caller.lasting('creating an index', 600, gone)).rejects.toThrow('it went away');
});

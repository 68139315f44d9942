import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { attemptsInReach, placeOfAttempt } from '../../../src/dashboard/attempt-places.ts';
import type { AttemptDocument } from '../../../src/retry/attempt-history.port.ts';

const [OWN, THEIRS, NOWHERE] = ['aa', 'bb', 'cc'].map((byte) => byte.repeat(12)) as [
  string,
  string,
  string,
];
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bootstrax-places-'));
  await mkdir(join(root, 'own/attempts', OWN), { recursive: true });
  await mkdir(join(root, 'net/eb1.lab/bootstrax/attempts', THEIRS), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const settings = (mounted: boolean) =>
  ({
    paths: { stateDir: join(root, 'own') },
    dashboard: { stateDirs: mounted ? join(root, 'net/{host}/bootstrax') : null },
  }) as Parameters<typeof attemptsInReach>[0];

const place = (attempt: string, host: string | null, mounted = true) =>
  placeOfAttempt(
    {
      settings: settings(mounted),
      store: {
        attempts: {
          get: () => Promise.resolve(host === null ? null : ({ host } as AttemptDocument)),
        },
      },
    },
    attempt,
  );

it('finds attempts of this machine, and of others where their folders are mounted', async () => {
  expect(await place(OWN, null)).toBe(join(root, 'own'));
  expect(await place(THEIRS, 'eb1.lab')).toBe(join(root, 'net/eb1.lab/bootstrax'));
  expect(await place(THEIRS, 'eb1.lab', false)).toBeNull();
  expect(await place(THEIRS, 'eb2.lab')).toBeNull();
  expect(await place(NOWHERE, null)).toBeNull();
});

it.each(['../net/eb1.lab', '..', '/eb1.lab', './eb1.lab', 'eb1.lab/../eb1.lab', ''])(
  'does not follow the name %j',
  async (host) => {
    expect(await place(THEIRS, host)).toBeNull();
  },
);

it('says of many attempts which are in reach', async () => {
  const attempts = [
    { attempt: OWN, host: 'here' },
    { attempt: THEIRS, host: 'eb1.lab' },
    { attempt: NOWHERE, host: '../..' },
  ] as AttemptDocument[];
  expect(await attemptsInReach(settings(true), attempts)).toEqual(new Set([OWN, THEIRS]));
  expect(await attemptsInReach(settings(false), attempts)).toEqual(new Set([OWN]));
});

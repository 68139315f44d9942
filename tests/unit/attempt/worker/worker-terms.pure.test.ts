import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  differences,
  lastingVariables,
  type WorkerTerms,
} from '../../../../src/attempt/worker/worker-terms.pure.ts';

const TERMS: WorkerTerms = {
  release: '0.2.0',
  python: '/env/bin/python',
  pythonPath: '/site',
  workerDirectory: '/opt/worker',
  cacheDirectory: '/state/cache',
  context: 'site:online',
  contextOptions: { maps: 'v1', deep: { a: 1, b: [1, 2] } },
  warmUp: true,
  orphanLimitSeconds: 900,
  directory: '/state',
  environment: { PATH: '/bin', CALIBRATION: 'v1' },
  inherited: { 'the control group': '0::/bootstrax.service' },
};

/** As the server tells them: they have been JSON. */
const told = (terms: object) => JSON.parse(JSON.stringify(terms)) as Record<string, unknown>;

describe('a server is used again', () => {
  test('if it was made with the same, in whatever order that is told', () => {
    expect(differences(TERMS, told(TERMS))).toEqual([]);
    const turned = Object.fromEntries(Object.entries(TERMS).reverse());
    const contextOptions = { deep: { b: [1, 2], a: 1 }, maps: 'v1' };
    expect(differences(TERMS, told({ ...turned, contextOptions }))).toEqual([]);
  });

  test.each([
    [{ release: '0.2.1' }, ['the release of bootstrax']],
    [{ python: '/other/python' }, ['the Python interpreter']],
    [{ pythonPath: null }, ['the folder of the site’s modules']],
    [{ context: 'site:offline' }, ['the context']],
    [{ contextOptions: { maps: 'v1', deep: { a: 1, b: [2, 1] } } }, ['the options of the context']],
    [{ warmUp: false }, ['the setting for the warm-up']],
    [{ orphanLimitSeconds: 60 }, ['the orphan limit']],
    [{ directory: '/' }, ['the working directory']],
    [{ environment: { PATH: '/bin', CALIBRATION: 'v2' } }, ['the variable CALIBRATION']],
    [{ environment: { PATH: '/bin' } }, ['the variable CALIBRATION']],
    [{ environment: { ...TERMS.environment, MORE: '' } }, ['the variable MORE']],
    [{ environment: 'nonsense' }, ['the variable PATH', 'the variable CALIBRATION']],
    [{ inherited: { 'the control group': '0::/user.slice' } }, ['the control group']],
    [{ of_a_later_release: 1 }, ['of_a_later_release']],
  ])('but not with %j', (changed, expected) => {
    expect(differences(TERMS, told({ ...TERMS, ...changed }))).toEqual(expected);
  });

  test('nor if it does not say what it was made with', () => {
    expect(differences(TERMS, {})).toContain('the context');
  });

  test('and whatever differs is found, whatever else is the same', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (one, other) => {
          const ours = told(one);
          const theirs = told(other);
          const found = differences(
            { ...TERMS, contextOptions: ours },
            told({ ...TERMS, contextOptions: theirs }),
          );
          let same = true;
          try {
            expect(ours).toEqual(theirs);
          } catch {
            same = false;
          }
          expect(found).toEqual(same ? [] : ['the options of the context']);
        },
      ),
    );
  });
});

test('what a login or a start of the service sets anew does not count', () => {
  const lasting = { PATH: '/bin', XENON_CONFIG: '/etc/xenon', EMPTY: '' };
  expect(
    lastingVariables({
      ...lasting,
      INVOCATION_ID: '1',
      JOURNAL_STREAM: '8:1',
      NOTIFY_SOCKET: '/run/notify',
      SSH_CONNECTION: '1 2 3 4',
      SHLVL: '3',
      ABSENT: undefined,
    }),
  ).toEqual(lasting);
});

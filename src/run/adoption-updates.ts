import type { Document } from 'mongodb';

import { literal } from '../infra/mongo/expressions.ts';

/** Renames host `from` to `to` in the holder and the data entries of a run; other hosts stay. */
export function adoptUpdate(from: string, to: string): Document[] {
  const renamed = (object: string): Document => ({
    $cond: [
      { $eq: [`${object}.host`, literal(from)] },
      { $mergeObjects: [object, { host: literal(to) }] },
      object,
    ],
  });
  return [
    {
      $set: {
        bootstrax: renamed('$bootstrax'),
        data: {
          $cond: [
            { $isArray: '$data' },
            { $map: { input: '$data', as: 'entry', in: renamed('$$entry') } },
            '$data',
          ],
        },
      },
    },
  ];
}

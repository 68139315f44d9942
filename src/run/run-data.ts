import type { Document } from 'mongodb';

import { arrayAt, type Expression, listAt, literal } from '../infra/mongo/expressions.ts';
import type { DataRegistration } from './run.port.ts';

/** Every program that reads these entries spells it this way. */
const PROTOCOL = 'FileSytemBackend';

/** Fields that an entry loses when it moves to `deleted_data`. */
const ONLY_WHILE_THERE = ['location', 'meta', 'protocol'];

/** Pushes those entries whose location is not yet listed for this host. */
export function registerStage(host: string, entries: readonly DataRegistration[]): Document {
  const documents = entries.map((entry) => ({
    type: entry.type,
    host,
    location: entry.location,
    protocol: PROTOCOL,
    meta: { lineage: entry.lineage },
  }));
  const listed = {
    $map: {
      input: {
        $filter: {
          input: arrayAt('$data'),
          as: 'present',
          cond: { $eq: ['$$present.host', literal(host)] },
        },
      },
      as: 'present',
      in: '$$present.location',
    },
  };
  const missing = {
    $filter: {
      input: literal(documents),
      as: 'entry',
      cond: { $not: [{ $in: ['$$entry.location', listed] }] },
    },
  };
  return { $set: { data: { $concatArrays: [listAt('$data'), missing] } } };
}

/** Moves the entries of this host at these locations to `deleted_data`. */
export function unregisterStage(host: string, locations: readonly string[]): Document {
  return moveStage(host, {
    $and: [
      { $eq: ['$$entry.host', literal(host)] },
      { $in: ['$$entry.location', literal([...locations])] },
    ],
  });
}

/** Moves the entry of the live data to `deleted_data`; `host` is the one that deletes it. */
export function withdrawLiveStage(host: string, location: string): Document {
  return moveStage(host, {
    $and: [
      { $eq: ['$$entry.type', 'live'] },
      { $eq: ['$$entry.host', 'daq'] },
      { $eq: ['$$entry.location', literal(location)] },
    ],
  });
}

function moveStage(by: string, ours: Expression): Document {
  const moved = {
    $map: {
      input: { $filter: { input: arrayAt('$data'), as: 'entry', cond: ours } },
      as: 'entry',
      in: {
        $mergeObjects: [
          {
            $arrayToObject: {
              $filter: {
                input: { $objectToArray: '$$entry' },
                as: 'field',
                cond: { $not: [{ $in: ['$$field.k', ONLY_WHILE_THERE] }] },
              },
            },
          },
          { at: '$$NOW', by: literal(by) },
        ],
      },
    },
  };
  return {
    $set: {
      deleted_data: { $concatArrays: [listAt('$deleted_data'), moved] },
      data: {
        $cond: [
          { $isArray: ['$data'] },
          { $filter: { input: '$data', as: 'entry', cond: { $not: [ours] } } },
          '$data',
        ],
      },
    },
  };
}

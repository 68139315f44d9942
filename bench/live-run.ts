import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { BSON } from 'mongodb';

import { type Lab, PACKAGE, PYTHON } from '../tests/support/lab.ts';

export interface LiveRun {
  number: number;
  /** A run document as the DAQ inserts it, of a run that has ended and whose rate is known. */
  document: Record<string, unknown>;
}

/** Writes the live data of a finished run, as fast as it goes, and answers its document. */
export async function finishedRun(lab: Lab, number: number, args: string[]): Promise<LiveRun> {
  const child = spawn(
    PYTHON,
    [
      ...['-m', 'bootstrax_worker.simulator', '--no-database', '--number', String(number)],
      ...['--live-data', lab.live, '--speed', '0', ...args],
    ],
    {
      env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  await once(child, 'close');
  const line = text.split('\n').findLast((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new Error(`the simulator printed no document: ${text}`);
  const { _id, ...document } = BSON.EJSON.parse(line) as Record<string, unknown>;
  return {
    number,
    document: {
      ...document,
      rate: document['rate'] ?? { tpc: { avg: 1, max: 1 } },
      bootstrax: { state: null },
    },
  };
}

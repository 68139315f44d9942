import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Lab, PACKAGE, PYTHON } from './lab.ts';

/** Makes a program that managers and jobs start as their Python: a stand-in for strax; answers its path. */
export async function makeStandIn(lab: Lab): Promise<string> {
  const python = join(lab.root, 'stand-in-worker');
  const script = join(PACKAGE, 'tests/support/stand_in_worker.py');
  const path = join(PACKAGE, 'worker');
  const lines = `export PYTHONPATH='${path}'\nexec '${PYTHON}' '${script}' "$@"\n`;
  await writeFile(python, `#!/bin/sh\n${lines}`);
  await chmod(python, 0o755);
  return python;
}

/** Writes a little live data; answers the document of its run of one second. */
export async function endedRun(
  lab: Lab,
  number: number,
  begunSecondsAgo: number,
): Promise<Record<string, unknown>> {
  const live = join(lab.live, String(number).padStart(6, '0'));
  await mkdir(join(live, '000000'), { recursive: true });
  await writeFile(join(live, '000000', 'reader0'), 'data');
  await mkdir(join(live, 'THE_END'), { recursive: true });
  const start = new Date((Math.floor(Date.now() / 1000) - begunSecondsAgo) * 1000);
  return {
    ...{ number, start, end: new Date(start.getTime() + 1000), mode: 'bench' },
    ...{ detectors: ['tpc'], user: 'bench', source: 'none', tags: [], rate: { tpc: { avg: 1 } } },
    daq_config: {
      ...{ processing_threads: { reader0: 1 }, compressor: 'lz4' },
      ...{ strax_fragment_payload_bytes: 220, strax_chunk_length: 5, strax_chunk_overlap: 0.5 },
    },
    data: [{ type: 'live', host: 'daq', location: lab.live }],
    bootstrax: { state: null },
  };
}

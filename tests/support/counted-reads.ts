import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Lab, PACKAGE } from './lab.ts';

/** Starts a server that counts the documents that it reads; answers how to ask for the count. */
export async function startCounting(lab: Lab): Promise<() => number> {
  const counter = join(lab.root, 'documents-read');
  const { PYTHONPATH: before } = process.env;
  writeFileSync(counter, Buffer.alloc(8));
  process.env['BOOTSTRAX_COUNTED_READS'] = counter;
  process.env['PYTHONPATH'] = join(PACKAGE, 'tests/support/counted_reads');
  try {
    await lab.startServer();
  } finally {
    delete process.env['BOOTSTRAX_COUNTED_READS'];
    if (before === undefined) delete process.env['PYTHONPATH'];
    else process.env['PYTHONPATH'] = before;
  }
  return () => Number(readFileSync(counter).readBigInt64LE(0));
}

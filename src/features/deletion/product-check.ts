import { spawn } from 'node:child_process';

import type { Product } from '../../attempt/attempt.pure.ts';
import { workerEnvironment, type WorkerFolders } from '../../attempt/worker/worker-environment.ts';
import { type ProductCheck, productCheckSchema } from './deletion.pure.ts';

export interface ProductCheckOptions extends WorkerFolders {
  python: string;
  environment: NodeJS.ProcessEnv;
}

/** Only the end of its error text is kept. */
const MOST_CHARACTERS = 2000;

/**
 * Reads and checks these products in a process of its own, which has a low priority and ends with this
 * process or when `signal` is aborted. Throws, with its last output, if the check itself fails.
 */
export async function checkProducts(
  options: ProductCheckOptions,
  runId: string,
  products: readonly Product[],
  signal: AbortSignal,
): Promise<ProductCheck> {
  const request = {
    runId,
    products: products.map(({ type, location, lineageHash }) => ({ type, location, lineageHash })),
  };
  const child = spawn(options.python, ['-m', 'bootstrax_worker', 'check-products'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: workerEnvironment(options.environment, options),
    signal,
    killSignal: 'SIGKILL',
  });
  let answer = '';
  let words = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    words = (words + piece).slice(-MOST_CHARACTERS);
  });
  // It may end before it has read the request.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(request));
  const ended = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killed) => {
      resolve(code === 0 ? null : (killed ?? `exit code ${code}`));
    });
  });
  if (ended !== null) {
    const last = words.trimEnd().split('\n').at(-1) ?? '';
    throw new Error(`the check of the products failed (${ended}): ${last}`);
  }
  return productCheckSchema.parse(JSON.parse(answer));
}

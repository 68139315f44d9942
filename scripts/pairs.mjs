// Runs tests/faults/pairs/main.ts: `node scripts/pairs.mjs --rounds 20 --seed 1`.
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('tests/faults/pairs/main.ts', 'pairs', process.argv.slice(2));

// Runs tests/faults/chaos/main.ts: `node scripts/chaos.mjs --seconds 60 --seed 1`.
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('tests/faults/chaos/main.ts', 'chaos', process.argv.slice(2));

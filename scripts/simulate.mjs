// Runs tests/simulation: `npm run simulate -- --seed 7`, or without a seed many of them.
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('tests/simulation/main.ts', 'simulate', process.argv.slice(2));

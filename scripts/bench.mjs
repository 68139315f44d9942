// Runs bench/<name>.ts: `node scripts/bench.mjs pickup [arguments]`.
import { existsSync } from 'node:fs';

import { runTypeScript } from './run-typescript.mjs';

const [name, ...rest] = process.argv.slice(2);
const entry = `bench/${name}.ts`;
if (!name || !/^[a-z-]+$/.test(name) || !existsSync(entry)) {
  console.error(`There is no benchmark '${name ?? ''}': see the folder bench/.`);
  process.exit(2);
}
await runTypeScript(entry, name, rest);

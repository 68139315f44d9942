// Takes the pictures of docs/pictures: `node scripts/pictures.mjs`.
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('tests/browser/pictures.ts', 'pictures', process.argv.slice(2));

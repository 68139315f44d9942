// `make release NEXT=0.3.0`
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('scripts/release.ts', 'release', process.argv.slice(2));

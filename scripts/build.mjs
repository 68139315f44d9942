// Builds the dashboard's client, and bundles the command: start-up of one file is several times
// faster than of many.
import { build } from 'esbuild';
import { build as buildWeb } from 'vite';

// The dashboard's client, to be served from dist/web.
await buildWeb({ configFile: 'web/vite.config.ts', logLevel: 'warn' });

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/bootstrax.mjs',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  legalComments: 'none',
  // The bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  // Optional companions of the database driver that are not installed.
  external: [
    'kerberos',
    '@mongodb-js/zstd',
    '@aws-sdk/credential-providers',
    'gcp-metadata',
    'snappy',
    'socks',
    'aws4',
    'mongodb-client-encryption',
  ],
  logLevel: 'warning',
});

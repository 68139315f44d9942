import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface Asset {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  /** Its name changes with its content. */
  immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All files of the built client, by path of their address: nothing else can be asked for. */
export async function readAssets(directory: string): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  const names = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new Error(
      `the dashboard's client is not built: ${directory} cannot be read (${String(error)}); make build`,
      { cause: error },
    );
  });
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    assets.set(`/${name}`, {
      body: new Uint8Array(await readFile(join(directory, name))),
      type,
      immutable: name.startsWith('assets/'),
    });
  }
  return assets;
}

import manifest from '../../../package.json' with { type: 'json' };

/** Version of this program. */
export function versionOfThis(): string {
  return manifest.version;
}

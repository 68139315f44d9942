import { expect, it } from 'vitest';

import { versionOfThis } from '../../../src/infra/config/version.ts';
import { readDocument } from './shown-by.ts';

const version = versionOfThis();
const changelog = readDocument('CHANGELOG.md');

it('the newest version of the changelog is that of the program', () => {
  expect(/^## (\S+)$/m.exec(changelog)?.[1]).toBe(version);
});

it('the lock file, the Python packages and the installation in the documentation have the version of the program', () => {
  const lock = JSON.parse(readDocument('package-lock.json')) as {
    version: string;
    packages: Record<string, { version?: string }>;
  };
  expect([lock.version, lock.packages['']?.version]).toEqual([version, version]);
  for (const package_ of ['worker', 'client']) {
    const metadata = readDocument(`${package_}/pyproject.toml`);
    expect(/^version = "(.*)"$/m.exec(metadata)?.[1], package_).toBe(version);
  }
  const named = readDocument('docs/operation.md').matchAll(/bootstrax-(\d[\d.]*\d)-linux/g);
  expect(new Set([...named].map(([, each]) => each))).toEqual(new Set([version]));
});

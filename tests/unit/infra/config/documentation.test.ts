import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';

import { describeError } from '../../../../src/infra/config/configuration-error.ts';
import { settingsInMarkdown } from '../../../../src/infra/config/markdown.ts';
import { resolveSettings } from '../../../../src/infra/config/resolve.ts';

const documentation = await readFile('docs/configuration.md', 'utf8');

function problemsOf(text: string): string[] {
  const resolution = resolveSettings({
    file: { path: '/example.toml', text, privateToOwner: false },
    env: {},
    flags: {},
    facts: { hostName: 'a.lab', packageDirectory: '/package', stateHome: '/state' },
    workingDirectory: '/',
    home: '/home/daq',
  });
  return resolution.kind === 'errors' ? resolution.errors.map(describeError) : [];
}

it('documents every setting (node scripts/settings.mjs writes the reference)', () => {
  expect(documentation.split('scripts/settings.mjs -->\n')[1]?.trim()).toBe(settingsInMarkdown());
});

it('shows examples that are right', () => {
  const examples = [...documentation.matchAll(/```toml\n(.*?)```/gs)].map(
    (match) => match[1] ?? '',
  );
  expect(examples.length).toBeGreaterThan(1);
  for (const example of examples) expect(problemsOf(example)).toEqual([]);
});

it('one’s own experiment is told in examples that are right', async () => {
  const text = await readFile('docs/your-experiment.md', 'utf8');
  const examples = [...text.matchAll(/```toml\n(.*?)```/gs)].map((match) => match[1] ?? '');
  expect(examples.length).toBeGreaterThan(3);
  for (const example of examples) expect(problemsOf(example)).toEqual([]);
});

it('the quick start brings a configuration that is right', async () => {
  const text = await readFile('docs/quick-start.md', 'utf8');
  const example = /lab\.toml <<'END'\n(.*?)END/s.exec(text)?.[1] ?? '';
  expect(example).toContain('[host]');
  expect(problemsOf(example)).toEqual([]);
});

it.each(['config/demo.toml', 'examples/paddles/paddles.toml'])('%s is right', async (file) => {
  const text = await readFile(file, 'utf8');
  expect(parse(text)).not.toEqual({});
  expect(problemsOf(text)).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import {
  ACTION_KINDS,
  type ActionKind,
  actionRow,
  actionSentence,
  isActionKind,
} from '../../../../src/features/actions/action-table.pure.ts';

const documentText = (name: string) =>
  readFileSync(new URL(`../../../../${name}`, import.meta.url), 'utf8');

it.each(ACTION_KINDS)(
  '%s is an action with a button, a sentence and a row in the documents',
  (kind) => {
    const { button, about } = actionRow(kind);
    expect(button).toMatch(/^[A-Z]/);
    expect(about).toMatch(/^[a-z].*[^.]$/);
    expect(actionSentence(kind)).toMatch(/^[A-Z].*\.$/);
    expect(documentText('docs/documents.md')).toMatch(new RegExp(`\\b${kind}\\b`));
  },
);

it.each(['pause', '', 'toString', '__proto__'])(
  '"%s" is no action, and whoever asks for its row is told so',
  (kind) => {
    expect(isActionKind(kind)).toBe(false);
    expect(() => actionRow(kind as ActionKind)).toThrow(/is no action/);
  },
);

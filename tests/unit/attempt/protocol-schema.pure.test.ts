import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

// Loaded within the test: a schema that cannot even be made then fails a test, and not a file.
it('is what the Python side was given', async () => {
  const { protocolJsonSchema } = await import('../../../src/attempt/protocol-schema.pure.ts');
  const written = readFileSync('worker/bootstrax_worker/protocol.schema.json', 'utf8');
  expect(protocolJsonSchema()).toEqual(JSON.parse(written));
});

import { z } from 'zod';

import {
  exitSchema,
  managerMessageSchema,
  planSchema,
  pluginGraphSchema,
  progressSchema,
  resultSchema,
  serverMessageSchema,
  startedSchema,
} from './attempt.pure.ts';

/** The JSON schema that the Python worker checks against: one definition for each name. */
export function protocolJsonSchema(): Record<string, unknown> {
  const named = {
    plan: planSchema,
    started: startedSchema,
    progress: progressSchema,
    result: resultSchema,
    exit: exitSchema,
    pluginGraph: pluginGraphSchema,
    serverMessage: serverMessageSchema,
    managerMessage: managerMessageSchema,
  };
  const definitions = Object.fromEntries(
    Object.entries(named).map(([name, schema]) => {
      const definition = z.toJSONSchema(schema);
      delete definition.$schema;
      return [name, definition];
    }),
  );
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: definitions };
}

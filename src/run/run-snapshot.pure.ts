import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import { readTags } from './tags.pure.ts';

/** Fields of `bootstrax` that make up the state of a run. */
const OF_STATE = [
  'host',
  'time',
  'attempt',
  'outcome',
  'n_failures',
  'next_retry',
  'debt',
  'last_attempt',
  'action',
] as const;

/** State of a run for the record of an action: values as stored, absent ones left out. */
export function runSnapshot(document: unknown): Record<string, unknown> {
  const { number, bootstrax, tags } = fieldsOf(document);
  const fields = fieldsOf(bootstrax);
  const shown = {
    number,
    state: fields.state ?? null,
    ...Object.fromEntries(OF_STATE.map((name) => [name, fields[name]])),
    tags: readTags(tags).named,
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

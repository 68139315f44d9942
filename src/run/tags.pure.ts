import { isMissing, isObject } from '../infra/values/bson-values.pure.ts';
import type { FieldProblem } from './run-shape.pure.ts';

/**
 * Names of a run's tags, whoever wrote them: a tag is an object with a name, and one that somebody
 * wrote as plain text is its name. What else is there is named and says nothing.
 */
export function readTags(value: unknown): { names: string[]; oddities: FieldProblem[] } {
  if (isMissing(value)) return { names: [], oddities: [] };
  const oddities: FieldProblem[] = [];
  if (!Array.isArray(value)) oddities.push({ field: 'tags', problem: 'is not an array' });
  const names = (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((tag, i) => {
    const note = (problem: string, name = '') => {
      if (Array.isArray(value)) oddities.push({ field: `tags.${i}${name}`, problem });
      return [];
    };
    if (typeof tag === 'string') {
      note('is text, not an object with a name');
      return [tag];
    }
    if (!isObject(tag)) return note('is not an object');
    if (isMissing(tag.name)) return [];
    return typeof tag.name === 'string' ? [tag.name] : note('is not a string', '.name');
  });
  return { names, oddities };
}

/** See `readTags`. */
export function tagNames(value: unknown): string[] {
  return readTags(value).names;
}

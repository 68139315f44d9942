import type { DetectorRule, LadderRule } from './rules.pure.ts';

/** By pattern; there are as many as the configuration has. */
const compiled = new Map<string, RegExp>();

/** Does a name match a shell-style pattern (`*`, `?`, `[abc]`, `[!abc]`), case-sensitive? */
export function matches(name: string, pattern: string): boolean {
  const expression = compiled.get(pattern) ?? compile(pattern);
  compiled.set(pattern, expression);
  return expression.test(name);
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(
    /\[(!?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g,
    (part, not: string | undefined, set: string | undefined) => {
      if (part === '*') return '.*';
      if (part === '?') return '.';
      if (set === undefined) return `\\${part}`;
      return `[${not === '!' ? '^' : ''}${set.replace(/[\\^]/g, '\\$&')}]`;
    },
  );
  return new RegExp(`^${source}$`, 's');
}

/** Does the ladder drop a type after this number of failures (reference, section 5.2)? */
export function dropped(type: string, failures: number, ladder: readonly LadderRule[]): boolean {
  return ladder.some((rule) => failures > rule.failures && matches(type, rule.pattern));
}

/** Is a type of interest for a run with these detectors (reference, section 5.1, step 4)? */
export function suitsDetectors(
  type: string,
  detectors: readonly string[],
  rules: readonly DetectorRule[],
): boolean {
  const rule = rules.find(({ pattern }) => matches(type, pattern));
  return rule === undefined || detectors.includes(rule.detector);
}

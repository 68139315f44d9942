import { handOnGraceSeconds, whyNotHandedOn } from '../attempt/certification.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import { STATUS_TO_REPLACE } from '../run/hand-on.pure.ts';
import type { StoredRun } from '../run/stored-run.pure.ts';
import type { Explanation } from './explain.pure.ts';

/** Adds to the explanation of a done run why it is not handed on. */
export function withHandOn<Explained extends Explanation>(
  explanation: Explained,
  stored: StoredRun,
  now: Date,
  rules: Rules,
): Explained {
  if (!STATUS_TO_REPLACE.includes(stored.status)) return explanation;
  const why = whyNotHandedOn(stored, now, handOnGraceSeconds(rules));
  if (why === null) return explanation;
  const next = { what: `it is not handed on: ${why}`, at: null, who: null };
  const again = `bootstrax retry ${explanation.run} --even-done --reason TEXT`;
  return {
    ...explanation,
    next: explanation.next ?? next,
    commands: [...explanation.commands, again],
  };
}

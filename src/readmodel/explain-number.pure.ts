import { counted } from '../infra/values/counted.pure.ts';
import {
  documentInWords,
  documentsInWords,
  mayBegin,
  type Numbered,
  SETTLE_NUMBER,
} from '../run/same-number.pure.ts';
import type { FleetExplanation } from './explain-fleet.pure.ts';

/** A run whose number several documents have. */
export interface NumberedExplanation extends FleetExplanation {
  /** Id of the document that is explained. */
  document: string;
  /** Ids of the others that have its number. */
  sameNumber: string[];
}

const BEFORE_DONE: readonly (string | null)[] = [null, 'failed', 'considering'];

/** Adds to the explanation of a run document what the others with its number mean for it. */
export function withNumber(
  explanation: FleetExplanation,
  id: string,
  documents: readonly Numbered[],
): NumberedExplanation {
  const others = documents.filter((each) => each.id !== id);
  const about = { document: id, sameNumber: others.map((each) => each.id) };
  if (others.length === 0) return { ...explanation, ...about };
  const may = mayBegin(id, documents);
  const rules = [
    {
      rule: 'its number is its own',
      value: `${counted(documents.length, 'document')} have it: ${documentsInWords(documents)}`,
      holds: may.kind === 'yes',
    },
    ...explanation.rules,
  ];
  // The run number would name the others too.
  const commands = explanation.commands.map((command) =>
    command
      .split(' ')
      .map((word) => (word === String(explanation.run) ? id : word))
      .join(' '),
  );
  if (may.kind !== 'no' || !BEFORE_DONE.includes(explanation.state)) {
    return { ...explanation, ...about, rules, commands };
  }
  const what = `it is set aside, since its number belongs to document ${documentInWords(may.owner)}: ${SETTLE_NUMBER}`;
  return {
    ...explanation,
    ...about,
    rules,
    verdict: 'malformed',
    // No host takes it, whatever its verdict on the run alone.
    hosts: [],
    next: { what, at: null, who: null },
    commands: [`bootstrax renumber ${id} NUMBER --reason TEXT`],
  };
}

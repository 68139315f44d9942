import { documentsInWords, hasProducts, type Numbered } from '../../run/same-number.pure.ts';
import type { RunEffect } from './run-effects.pure.ts';

/** Other programs hold run numbers as 32 bits. */
export const HIGHEST_NUMBER = 2 ** 31 - 1;

/** A document and the others that have its number. */
export interface Renumbering {
  own: Numbered;
  others: readonly Numbered[];
  from: number;
  /** The new number; null: none was given. */
  to: number | null;
  /** Documents that have the new number already. */
  taken: readonly Numbered[];
}

/** What `renumber` would do to one of several documents with the same number. */
export function renumberEffect({ own, others, from, to, taken }: Renumbering): RunEffect {
  const no = (why: string): RunEffect => ({ possible: false, why });
  if (to === null || !Number.isInteger(to) || to < 0 || to > HIGHEST_NUMBER) {
    return no(`a new number from 0 to ${HIGHEST_NUMBER} is needed`);
  }
  if (others.length === 0) {
    return no(
      `document ${own.id} is the only one with the number ${from}: there is nothing to correct`,
    );
  }
  if (to === from) return no(`document ${own.id} has the number ${from} already`);
  const { state, outcome } = own.stored.bootstrax;
  if (state === 'considering' || state === 'busy') {
    return no(`document ${own.id} is being processed as run ${from}: fail it first, by its id`);
  }
  if (hasProducts(own)) {
    return no(
      `document ${own.id} has data under the number ${from}, and folders carry the number in their names: ` +
        `give the other one another number (${documentsInWords(others)})`,
    );
  }
  if (taken.length > 0) {
    return no(`the number ${to} is in use: ${documentsInWords(taken)}`);
  }
  const due = state === 'failed' && outcome === 'set_aside';
  const folder = (number: number) => `${liveFolder(own)}/${String(number).padStart(6, '0')}`;
  return {
    possible: true,
    step: { kind: 'renumber', number: to, due },
    effect:
      `Document ${own.id} gets the number ${to} instead of ${from}${due ? ' and is due at once' : ''}. ` +
      `Its live data is then read from ${folder(to)}: rename ${folder(from)} before, if that holds its data.`,
    done: `Document ${own.id} has the number ${to} now; its live data is read from ${folder(to)}.`,
  };
}

/** The folder that holds the run's live data, as its document names it. */
function liveFolder({ stored }: Numbered): string {
  const live = stored.data.find(({ type }) => type === 'live');
  return live?.location?.replace(/\/+$/, '') ?? 'its folder';
}

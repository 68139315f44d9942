import { counted } from '../../infra/values/counted.pure.ts';
import type { Picture } from './pictures.pure.ts';

/** What is known of the attempt whose pictures are shown. */
export interface PicturedAttempt {
  hasEnded: boolean;
  /** Counted failures of the run before it. */
  failures: number;
  /** Targets wanted that it does not make. */
  dropped: readonly string[];
  /** Types of which it has begun a folder, and those that it makes one by one afterwards. */
  makes: readonly string[];
}

/** Whether a picture is drawn, and what is to be said of it. */
export interface PictureStanding {
  /** `drawn`: as it is; `too few`: drawn, but it cannot be judged; the others are not drawn. */
  kind: 'drawn' | 'too few' | 'waiting' | 'left out' | 'not made' | 'cannot be made';
  /** One sentence; null where there is nothing to say. */
  why: string | null;
}

/** An empty picture is never shown: what is missing has a reason. */
export function standingOf(picture: Picture, attempt: PicturedAttempt): PictureStanding {
  const { type, problem, entries, minimum, seconds } = picture;
  if (problem !== null) return { kind: 'cannot be made', why: `It cannot be made: ${problem}` };
  if (seconds === 0) return absent(type, attempt);
  if (entries < minimum) {
    return {
      kind: 'too few',
      why: `Cannot be judged: ${entries} of at least ${counted(minimum, 'entry', 'entries')}.`,
    };
  }
  return { kind: 'drawn', why: null };
}

function absent(type: string, attempt: PicturedAttempt): PictureStanding {
  const { hasEnded, failures, dropped, makes } = attempt;
  if (dropped.length > 0) {
    const name = dropped.includes(type) ? type : `what ${type} is made for`;
    return {
      kind: 'left out',
      why: `Left out after ${counted(failures, 'failure')}: this attempt does not make ${name}.`,
    };
  }
  if (hasEnded) return { kind: 'not made', why: `This attempt has made no ${type}.` };
  return makes.length === 0 || makes.includes(type)
    ? { kind: 'waiting', why: `It waits for the first chunk of ${type}.` }
    : { kind: 'not made', why: `This attempt does not make ${type}.` };
}

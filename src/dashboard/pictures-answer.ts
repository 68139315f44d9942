import { attemptDirectory } from '../attempt/files/attempt-directory.ts';
import { readPicturesFile } from '../attempt/files/pictures-file.ts';
import { type PicturedAttempt, standingOf } from '../features/pictures/picture-standing.pure.ts';
import {
  MOST_PICTURE_BYTES,
  type Pictures,
  picturesSchema,
} from '../features/pictures/pictures.pure.ts';
import type { PicturesAnswer } from '../readmodel/api.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';
import { placeOfAttempt } from './attempt-places.ts';
import type { Surroundings } from './surroundings.ts';

/** The pictures of an attempt; null if none are within reach. */
export async function picturesAnswer(
  surroundings: Surroundings,
  attempt: string,
): Promise<PicturesAnswer | null> {
  const [found, document] = await Promise.all([
    picturesOf(surroundings, attempt),
    surroundings.store.attempts.get(attempt),
  ]);
  if (found === null) return null;
  const { pictures, written } = found;
  const about = aboutAttempt(document, pictures);
  return {
    written: written.toISOString(),
    final: pictures.final,
    problem: pictures.problem,
    stored: pictures.stored,
    pictures: pictures.pictures.map((picture) => ({
      ...picture,
      standing: standingOf(picture, about),
    })),
  };
}

async function picturesOf(
  surroundings: Surroundings,
  attempt: string,
): Promise<{ pictures: Pictures; written: Date } | null> {
  const stateDir = await placeOfAttempt(surroundings, attempt);
  if (stateDir === null) return null;
  const file = await readPicturesFile(attemptDirectory(stateDir, attempt), MOST_PICTURE_BYTES);
  const pictures = file === null ? null : parsePictures(file.text);
  return file === null || pictures === null ? null : { pictures, written: file.written };
}

function parsePictures(text: string): Pictures | null {
  try {
    return picturesSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function aboutAttempt(document: AttemptDocument | null, { stored }: Pictures): PicturedAttempt {
  const planned = (name: string) => {
    const types = document?.plan?.[name];
    return Array.isArray(types) ? types.filter((each) => typeof each === 'string') : [];
  };
  const begun = stored.map(({ type }) => type);
  return {
    hasEnded: document?.ended != null,
    failures: document?.failures ?? 0,
    dropped: planned('dropped'),
    makes: begun.length === 0 ? [] : [...begun, ...planned('postProcessing')],
  };
}

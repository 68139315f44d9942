const JOB_NAME = /^bx-([0-9a-f]{24})$/;

/** Name of the job of an attempt: by it alone the job is found again, since Slurm may use its id twice. */
export function jobNameOf(attempt: string): string {
  const name = `bx-${attempt}`;
  if (!JOB_NAME.test(name)) throw new Error(`no attempt has the id ${JSON.stringify(attempt)}`);
  return name;
}

/** The attempt that a job of this name carries out; null: the job is none of ours. */
export function attemptOfJob(name: string): string | null {
  return JOB_NAME.exec(name)?.[1] ?? null;
}

/** What a job says of itself in a listing. */
export function commentOf(run: number | null, host: string): string {
  return run === null ? `probe of ${host}` : `run ${run} of ${host}`;
}

/** The host whose manager submitted a job with this comment; null: it is no comment of ours. */
export function hostOf(comment: string): string | null {
  return /^run \d+ of (\S+)$/.exec(comment)?.[1] ?? null;
}

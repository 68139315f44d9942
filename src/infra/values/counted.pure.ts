/** `1 core`, `2 cores`: a number with the noun that it counts. */
export function counted(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** Stops of a scale that is even to the eye, from few to many, and readable without colour. */
const STOPS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

/** The colour of a share between 0 and 1. */
export function scaleColour(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const lower = Math.min(STOPS.length - 2, Math.floor(place));
  const [from, to] = [STOPS[lower] ?? STOPS[0], STOPS[lower + 1] ?? STOPS[0]];
  const mixed = from.map((part, i) =>
    Math.round(part + ((to[i] ?? part) - part) * (place - lower)),
  );
  return `rgb(${mixed.join(' ')})`;
}

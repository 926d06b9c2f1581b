import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant, or null. Case and the separators `_`, `-`, `.` do not count. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const fold = (text: string) => text.toLowerCase().replace(/[_.\-\s]/g, '');
  const wanted = fold(name);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const d = distance(wanted, fold(candidate));
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant, or null. Case and the separators `_`, `-`, `.` do not count. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const fold = (text: string) => text.toLowerCase().replace(/[_.\-\s]/g, '');
  const wanted = fold(name);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const d = editDistance(wanted, fold(candidate));
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** Levenshtein's, but two neighbours that changed places (`form` for `from`) count as one edit. */
function editDistance(a: string, b: string): number {
  if (a.length === b.length && a !== b) {
    let at = 0;
    while (a[at] === b[at]) at++;
    if (a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2)) return 1;
  }
  return distance(a, b);
}

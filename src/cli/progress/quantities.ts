/** How amounts are shown to people. */

/** `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

const PREFIXES = ['', 'k', 'M', 'G', 'T'];

/** Three digits and a prefix: `999/s`, `12.3k/s`, `4.05M/s`. */
export function formatRate(perSecond: number): string {
  return `${threeDigits(perSecond, '')}/s`;
}

/** `999 B`, `12.3 kB`, `4.05 MB`. */
export function formatSize(bytes: number): string {
  return `${threeDigits(bytes, ' ')}B`;
}

function threeDigits(amount: number, gap: string): string {
  let value = Math.max(0, amount);
  let prefix = 0;
  while (value >= 999.5 && prefix < PREFIXES.length - 1) {
    value /= 1000;
    prefix += 1;
  }
  const decimals = prefix === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(decimals)}${gap}${PREFIXES[prefix] ?? ''}`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 03 min`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

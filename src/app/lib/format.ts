/** Numbers, sizes and times as text. One locale for the whole app: its sentences are English. */

const LOCALE = 'en';
const whole = new Intl.NumberFormat(LOCALE);

export function count(value: number): string {
  return whole.format(value);
}

/** `3 slots`, `1 slot`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A size in decimal units, three significant figures: `412 MB`, `10.7 GB`. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** A duration in milliseconds: `0.4 ms`, `38 ms`, `1.2 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto', style: 'long' });
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** `3 minutes ago`, `just now`, `in 2 hours`. */
export function ago(then: number, now: number): string {
  const difference = then - now;
  if (Math.abs(difference) < 5000) return 'just now';
  for (const [unit, ms] of STEPS)
    if (Math.abs(difference) >= ms) return relative.format(Math.trunc(difference / ms), unit);
  return 'just now';
}

const absolute = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });

export function when(time: number): string {
  return absolute.format(time);
}

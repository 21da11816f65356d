/** `os.date` formats, in UTC. */
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

const two = (n: number): string => String(n).padStart(2, '0');

/** ISO 8601 week number. */
function isoWeek(time: Date): number {
  const day = new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()));
  // The week belongs to the year of its Thursday.
  day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
  const start = Date.UTC(day.getUTCFullYear(), 0, 1);
  return Math.ceil(((day.getTime() - start) / 86_400_000 + 1) / 7);
}

export function formatDate(format: string, t: Date): string {
  const year = t.getUTCFullYear();
  const month = t.getUTCMonth();
  const day = t.getUTCDate();
  const hour = t.getUTCHours();
  const clock = `${two(hour)}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
  const short = `${two(month + 1)}/${two(day)}/${two(year % 100)}`;
  const weekday = t.getUTCDay();
  const name = DAYS[weekday]!;
  const values: Record<string, string> = {
    A: name,
    a: name.slice(0, 3),
    B: MONTHS[month]!,
    b: MONTHS[month]!.slice(0, 3),
    c: `${name.slice(0, 3)} ${MONTHS[month]!.slice(0, 3)} ${String(day).padStart(2)} ${clock} ${String(year).padStart(4, '0')}`,
    D: short,
    d: two(day),
    e: String(day).padStart(2),
    F: `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}`,
    H: two(hour),
    I: two(hour % 12 || 12),
    M: two(t.getUTCMinutes()),
    m: two(month + 1),
    n: '\n',
    P: hour < 12 ? 'am' : 'pm',
    p: hour < 12 ? 'AM' : 'PM',
    S: two(t.getUTCSeconds()),
    T: clock,
    t: '\t',
    u: String(weekday || 7),
    V: two(isoWeek(t)),
    W: two(isoWeek(t)),
    w: String(weekday),
    X: clock,
    x: short,
    Y: String(year).padStart(4, '0'),
    y: two(year % 100),
    Z: '',
    '%': '%',
  };
  return format.replace(/%([A-Za-z%])/g, (text, c: string) => values[c] ?? text);
}

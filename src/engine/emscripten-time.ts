/**
 * Calendar functions of C's `time.h` for emscripten programs, in UTC: what the network's compute units run in.
 * Offsets are those of musl's `struct tm`: nine ints, then (32- or 64-bit) offset and zone name.
 */
import type { LinearMemory } from './linear-memory.ts';

const DAY = 86_400_000;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const SECOND = 0;
const MINUTE = 4;
const HOUR = 8;
const MONTH_DAY = 12;
const MONTH = 16;
const YEAR = 20;
const WEEKDAY = 24;
const YEAR_DAY = 28;
const DAYLIGHT = 32;

const leap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Where offset and zone name stand behind the nine ints. */
const offsetAt = (memory: LinearMemory) => (memory.word === 8 ? 40 : 36);
const zoneAt = (memory: LinearMemory) => (memory.word === 8 ? 48 : 40);

/** `gmtime`: leaves daylight flag, offset and zone as they are. A time out of range writes zeros. */
export function writeGmtime(memory: LinearMemory, seconds: number, tm: number): void {
  writeFields(memory, new Date(seconds * 1000), tm);
}

/** `localtime` in UTC. */
export function writeLocaltime(memory: LinearMemory, seconds: number, tm: number): void {
  writeFields(memory, new Date(seconds * 1000), tm);
  if (memory.word === 8) memory.writeLong(tm + offsetAt(memory), 0);
  else memory.writeInt(tm + offsetAt(memory), 0);
  memory.writeInt(tm + DAYLIGHT, 0);
}

function writeFields(memory: LinearMemory, date: Date, tm: number): void {
  const put = (at: number, value: number) => memory.writeInt(tm + at, Number.isNaN(value) ? 0 : value);
  put(SECOND, date.getUTCSeconds());
  put(MINUTE, date.getUTCMinutes());
  put(HOUR, date.getUTCHours());
  put(MONTH_DAY, date.getUTCDate());
  put(MONTH, date.getUTCMonth());
  put(YEAR, date.getUTCFullYear() - 1900);
  put(WEEKDAY, date.getUTCDay());
  put(YEAR_DAY, Math.floor((date.getTime() - startOfYear(date.getUTCFullYear())) / DAY));
}

function startOfYear(year: number): number {
  return utc(year, 0, 1);
}

/** `Date.UTC` without its rule that years 0 to 99 mean 1900 to 1999. */
function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(hour, minute, second, 0);
  return date.getTime();
}

/** `mktime` in UTC: brings the fields in order and answers seconds, or -1. A year below 100 counts from 1900, as there. */
export function mktime(memory: LinearMemory, tm: number): number {
  const get = (at: number) => memory.readInt(tm + at);
  const year = get(YEAR) + 1900;
  const time = utc(
    year >= 0 && year <= 99 ? year + 1900 : year,
    get(MONTH),
    get(MONTH_DAY),
    get(HOUR),
    get(MINUTE),
    get(SECOND),
  );
  const daylight = get(DAYLIGHT);
  if (daylight < 0) memory.writeInt(tm + DAYLIGHT, 0);
  const date = new Date(time);
  writeFields(memory, date, tm);
  return Number.isNaN(time) ? -1 : time / 1000;
}

/** `strftime`: the number of octets written without the NUL, or 0 if they do not fit. */
export function strftime(memory: LinearMemory, to: number, room: number, format: number, tm: number): number {
  const octets = new TextEncoder().encode(formatTime(memory, memory.text(format), tm));
  if (octets.length + 1 > room) return 0;
  memory.writeText(to, octets);
  return octets.length;
}

function formatTime(memory: LinearMemory, pattern: string, tm: number): string {
  const get = (at: number) => memory.readInt(tm + at);
  const two = (value: number) => String(value).padStart(2, '0');
  const year = get(YEAR) + 1900;
  const hour = get(HOUR);
  const expand = (text: string): string =>
    // A modifier (E, O) changes nothing in the C locale.
    text.replace(/%[EO]?(.)/gs, (whole, letter: string) => {
      switch (letter) {
        case 'a':
          return (WEEKDAYS[get(WEEKDAY)] ?? 'undefined').slice(0, 3);
        case 'A':
          return WEEKDAYS[get(WEEKDAY)] ?? 'undefined';
        case 'b':
        case 'h':
          return (MONTHS[get(MONTH)] ?? 'undefined').slice(0, 3);
        case 'B':
          return MONTHS[get(MONTH)] ?? 'undefined';
        case 'c':
          return expand('%a %b %d %H:%M:%S %Y');
        case 'C':
          return two(Math.trunc(year / 100));
        case 'd':
          return two(get(MONTH_DAY));
        case 'D':
        case 'x':
          return expand('%m/%d/%y');
        case 'e':
          return String(get(MONTH_DAY)).padStart(2, ' ');
        case 'F':
          return expand('%Y-%m-%d');
        case 'g':
          return String(weekYear(year, get(YEAR_DAY))).slice(2);
        case 'G':
          return String(weekYear(year, get(YEAR_DAY)));
        case 'H':
          return two(hour);
        case 'I':
          return two(hour === 0 ? 12 : hour > 12 ? hour - 12 : hour);
        case 'j':
          return String(
            get(MONTH_DAY) + Math.round((utc(year, get(MONTH), 1) - startOfYear(year)) / DAY),
          ).padStart(3, '0');
        case 'm':
          return two(get(MONTH) + 1);
        case 'M':
          return two(get(MINUTE));
        case 'n':
          return '\n';
        case 'p':
          return hour >= 0 && hour < 12 ? 'AM' : 'PM';
        case 'r':
          return expand('%I:%M:%S %p');
        case 'R':
          return expand('%H:%M');
        case 'S':
          return two(get(SECOND));
        case 't':
          return '\t';
        case 'T':
        case 'X':
          return expand('%H:%M:%S');
        case 'u':
          return String(get(WEEKDAY) || 7);
        case 'U':
          return two(Math.floor((get(YEAR_DAY) + 7 - get(WEEKDAY)) / 7));
        case 'V':
          return two(isoWeek(get(YEAR_DAY), get(WEEKDAY), get(YEAR)));
        case 'w':
          return String(get(WEEKDAY));
        case 'W':
          return two(Math.floor((get(YEAR_DAY) + 7 - ((get(WEEKDAY) + 6) % 7)) / 7));
        case 'y':
          return String(year).slice(2);
        case 'Y':
          return String(year);
        case 'z':
          return zoneOffset(memory, tm);
        case 'Z': {
          const zone = memory.readWord(tm + zoneAt(memory));
          return zone ? memory.text(zone) : '';
        }
        case '%':
          return '%';
        default:
          return whole;
      }
    });
  return expand(pattern);
}

function zoneOffset(memory: LinearMemory, tm: number): string {
  const at = tm + offsetAt(memory);
  const seconds = memory.word === 8 ? memory.readLong(at) : memory.readInt(at);
  const minutes = Math.abs(seconds) / 60;
  const clock = Math.floor(minutes / 60) * 100 + (minutes % 60);
  return (seconds >= 0 ? '+' : '-') + String(clock).padStart(4, '0').slice(-4);
}

/** Year that the ISO 8601 week of a day belongs to. */
function weekYear(year: number, yearDay: number): number {
  const day = startOfYear(year) + yearDay * DAY;
  const firstMonday = (of: number) => {
    const fourth = utc(of, 0, 4);
    return fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY;
  };
  const actual = new Date(day).getUTCFullYear();
  if (firstMonday(actual) > day) return actual - 1;
  return firstMonday(actual + 1) <= day ? actual + 1 : actual;
}

/** ISO 8601 week number. Leap years are told from the year since 1900, as the programs' C library does. */
function isoWeek(yearDay: number, weekday: number, yearSince1900: number): number {
  let week = Math.floor((yearDay + 7 - ((weekday + 6) % 7)) / 7);
  if ((weekday + 371 - yearDay - 2) % 7 <= 2) week++;
  if (week === 0) {
    const lastWeekday = (weekday + 7 - yearDay - 1) % 7;
    const longYear = lastWeekday === 4 || (lastWeekday === 5 && leap((yearSince1900 % 400) - 1));
    return longYear ? 53 : 52;
  }
  if (week === 53) {
    const first = (weekday + 371 - yearDay) % 7;
    if (first !== 4 && (first !== 3 || !leap(yearSince1900))) return 1;
  }
  return week;
}

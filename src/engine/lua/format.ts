/** `string.format` (lua.md §10.3). Anything that goes wrong inside is one bad-argument error. */
import { badArgument, LuaCrash, LuaLimit } from './errors.ts';
import { fixed, general, scientific } from './digits.ts';
import { now } from './journal.ts';
import { latin1ToUtf8 } from './lexer.ts';
import { tostring } from './lib-basic.ts';
import { toInteger, toNumber, toText } from './number-text.ts';
import { toDouble } from './arithmetic.ts';
import type { State } from './state.ts';
import { decodeUtf8 } from './token-text.ts';
import { Call, type HostCall, type Steps, type Value } from './value.ts';

interface Directive {
  readonly conversion: string;
  readonly left: boolean;
  readonly zero: boolean;
  readonly plus: boolean;
  readonly blank: boolean;
  readonly flags: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** Raised inside `format` for whatever the reference fails on. */
class Unfit extends Error {}

const DIRECTIVE = /([#0\- +]*)([0-9]*)(?:\.([0-9]*))?/y;

export function* format(state: State, args: Value[]): Steps {
  let out: string;
  try {
    const template = toText(args[0]);
    if (template === undefined) throw new Unfit();
    out = yield* build(state, template, args.slice(1));
  } catch (error) {
    if (error instanceof LuaLimit) throw error;
    throw badArgument('format', args);
  }
  if (decodeUtf8(out) === undefined) throw new LuaCrash('string.format made something that is not UTF-8');
  now.journal.allocate(out.length);
  return out;
}

type Asking<T> = Generator<Call | HostCall, T, Value[]>;

function* build(state: State, template: string, args: Value[]): Asking<string> {
  let out = '';
  let at = 0;
  let used = 0;
  while (at < template.length) {
    const c = template[at]!;
    if (c === '%') {
      DIRECTIVE.lastIndex = at + 1;
      const [text, flags, width, precision] = DIRECTIVE.exec(template)! as unknown as string[];
      const conversion = template[at + 1 + text!.length] ?? '';
      at += 2 + text!.length;
      const directive: Directive = {
        conversion,
        left: flags!.includes('-'),
        zero: flags!.includes('0'),
        plus: flags!.includes('+'),
        blank: flags!.includes(' '),
        flags: flags !== '',
        width: width === '' ? undefined : Number(width),
        precision: precision ? Number(precision) : undefined,
      };
      if (conversion === '%') {
        if (directive.flags || directive.width !== undefined || directive.precision !== undefined)
          throw new Unfit();
        out += '%';
      } else {
        if (used >= args.length) throw new Unfit();
        out += yield* one(state, directive, args[used++]);
      }
    } else if (c === '\\' && at + 1 < template.length) {
      out += latin1ToUtf8(template[at + 1]!);
      at += 2;
    } else {
      out += latin1ToUtf8(c);
      at++;
    }
    if (out.length > state.largest) throw new LuaLimit('memory', 'A string is too long.');
  }
  return out;
}

function* one(state: State, directive: Directive, value: Value): Asking<string> {
  guard(state, directive);
  switch (directive.conversion) {
    case 'd':
    case 'i':
      return decimal(directive, value, (n) => n.toString());
    case 'o':
      return decimal(directive, value, (n) => n.toString(8));
    case 'x':
      return decimal(directive, value, (n) => n.toString(16));
    case 'X':
      return decimal(directive, value, (n) => n.toString(16).toUpperCase());
    case 'u': {
      const n = integer(value);
      return decimal(directive, n < 0n ? BigInt.asUintN(64, n) : n, (m) => m.toString());
    }
    case 'c':
      return pad(latin1ToUtf8(String.fromCharCode(Number(integer(value) & 255n))), 1, directive);
    case 'e':
    case 'E': {
      const digits = directive.precision === undefined ? 7 : directive.precision + 1;
      if (digits < 2) throw new Unfit();
      return float(directive, value, (n) => scientific(n, digits));
    }
    case 'f':
    case 'F': {
      const places = directive.precision ?? 6;
      if (places < 1) throw new Unfit();
      return float(directive, value, (n) => fixed(n, places));
    }
    case 'g':
    case 'G': {
      const digits = directive.precision ?? 6;
      if (digits < 1) throw new Unfit();
      return float(directive, value, (n) => general(n, digits));
    }
    case 's':
      return string(directive, yield* text(state, value));
    case 'q':
      return quoted(yield* text(state, value));
    default:
      throw new Unfit();
  }
}

/** Widths are not limited in the reference: here by the longest string. */
function guard(state: State, directive: Directive): void {
  if ((directive.width ?? 0) > state.largest || (directive.precision ?? 0) > 100_000)
    throw new LuaLimit('memory', 'A string is too long.');
}

function* text(state: State, value: Value): Asking<Value> {
  const result = tostring(state, value);
  if (!(result instanceof Call)) return result;
  const results = yield result;
  if (results.length !== 1) throw new Unfit();
  return results[0];
}

/** A result of `__tostring` that is no string: an integer stands for a character, all else fails. */
function string(directive: Directive, value: Value): string {
  if (typeof value === 'number') {
    if (value < 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) throw new Unfit();
    return String.fromCharCode(...new TextEncoder().encode(String.fromCodePoint(value)));
  }
  if (typeof value !== 'string') throw new Unfit();
  const cut = directive.precision === undefined ? value : value.slice(0, directive.precision);
  return pad(cut, cut.length, directive);
}

function pad(body: string, length: number, { width, left, zero }: Directive): string {
  const missing = (width ?? 0) - length;
  if (missing <= 0) return body;
  return left ? body + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + body;
}

function integer(value: Value): bigint {
  const n = toInteger(value);
  if (n === undefined) throw new Unfit();
  return BigInt(n);
}

function sign(directive: Directive, negative: boolean): string {
  return negative ? '-' : directive.plus ? '+' : directive.blank ? ' ' : '';
}

function decimal(directive: Directive, value: Value, digits: (magnitude: bigint) => string): string {
  const n = integer(value);
  const prefix = sign(directive, n < 0n);
  const body = digits(n < 0n ? -n : n);
  const { precision, width, left, zero } = directive;
  if (precision !== undefined) {
    const padded = prefix + body.padStart(precision, '0');
    return pad(padded, padded.length, { ...directive, zero: false });
  }
  if (!left && zero && width !== undefined) return prefix + body.padStart(width - prefix.length, '0');
  return pad(prefix + body, prefix.length + body.length, directive);
}

function float(directive: Directive, value: Value, digits: (magnitude: number) => string): string {
  const number = toNumber(value);
  const n = number === undefined ? undefined : toDouble(number);
  if (n === undefined) throw new Unfit();
  const prefix = sign(directive, n < 0);
  const body = digits(Math.abs(n));
  const { width, left, zero } = directive;
  if (!left && zero) {
    // Without a width the reference subtracts from nothing.
    if (width === undefined) throw new Unfit();
    return prefix + body.padStart(width - prefix.length, '0');
  }
  return pad(prefix + body, prefix.length + body.length, directive);
}

/** `%q`: what the reference's regular expression singles out, escaped. */
function quoted(value: Value): string {
  if (typeof value !== 'string') throw new Unfit();
  const body = value.replace(/[\0-\x03\n"\\\x7f-\x9f]/g, (c, at: number) => {
    const code = c.charCodeAt(0);
    if (c === '\n' || c === '"' || c === '\\') return `\\${c}`;
    if (code >= 0x7f) return String(code);
    const digit = /[0-9]/.test(value[at + 1] ?? '');
    return `\\${digit ? String(code).padStart(3, '0') : code}`;
  });
  return `"${body}"`;
}

/** Values and errors as text (lua.md §7.1). */
import type { Term, TermPart } from './errors.ts';
import { TermAtom, TermBytes } from './errors.ts';
import { latin1ToUtf8 } from './lexer.ts';
import { isNumber, numberText } from './number-text.ts';
import { decodeUtf8 } from './token-text.ts';
import { LuaTable } from './table.ts';
import { Builtin, LuaFunction, Opaque, type Env, type Value } from './value.ts';

export function typeName(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return 'number';
    default:
      if (value instanceof LuaTable) return 'table';
      if (value instanceof Opaque) return 'unknown';
      return value instanceof LuaFunction || value instanceof Builtin ? 'function' : 'number';
  }
}

/** Number that the reference gives the function's definition when its chunk is loaded. */
function functionNumber(fn: LuaFunction): number {
  let env: Env = fn.env;
  while (env[0]) env = env[0];
  return (env[3] as number) + fn.proto.index;
}

/** `tostring` without metamethods. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'nil';
  if (isNumber(value)) return numberText(value);
  if (value instanceof LuaTable) return `table: ${value.id}`;
  if (value instanceof LuaFunction) return `function: ${functionNumber(value)}`;
  if (value instanceof Builtin) return `function: luerl_lib_${value.library}:${value.name}`;
  return value instanceof Opaque ? 'unknown' : String(value);
}

/** A string inside an error text: as it is if it is UTF-8, else as Latin-1. */
function shown(text: string): string {
  return decodeUtf8(text) === undefined ? latin1ToUtf8(text) : text;
}

function part(value: TermPart): string {
  if (value === undefined) return 'nil';
  if (typeof value === 'string') return `'${shown(value)}'`;
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return (value as readonly TermPart[]).map(part).join(',');
  if (value instanceof TermAtom) return `'${value.name}'`;
  if (value instanceof TermBytes) return 'unknown stuff';
  if (value instanceof LuaTable) return 'table';
  if (value instanceof LuaFunction) return 'function';
  if (value instanceof Builtin) return value.name;
  if (isNumber(value as Value)) return numberText(value as number);
  return 'unknown stuff';
}

/** The text that `pcall` gives for an error. */
export function errorText(term: Term): string {
  const [kind, a, b] = term;
  switch (kind) {
    case 'badarg':
      return `bad argument ${part(b)} to ${part(a)}`;
    case 'badarith':
      return `bad arithmetic ${part(a)} on ${part(b)}`;
    case 'illegal_index':
      return `invalid index in ${part(a)}: ${part(b)}`;
    case 'illegal_value':
      return `invalid value in ${part(a)}: ${part(b)}`;
    case 'illegal_comp':
      return 'illegal comparison in sort';
    case 'undefined_function':
      return `undefined function ${part(a)}`;
    case 'undefined_method':
      return `undefined method ${part(b)} in ${part(a)}`;
    case 'illegal_return_value':
      return 'illegal format of return value';
    case 'invalid_pattern':
    case 'invalid_capture':
      return 'malformed pattern';
    case 'invalid_char_class':
      return `malformed pattern (class ${latin1ToUtf8(a as string)})`;
    case 'invalid_char_set':
      return "malformed pattern (missing ']')";
    case 'illegal_op':
      return `illegal op: ${part(a)}`;
    case 'assert_error':
      return typeof a === 'string' ? `${a}!` : `error object is a ${typeName(a as Value)}!`;
    case 'error_message':
      return a as string;
    case 'error_call': {
      const args = a as readonly Value[];
      return args.length ? valueText(args[0]) : 'nil';
    }
    default:
      return `{${[atomText(kind), ...term.slice(1).map(raw)].join(',')}}!`;
  }
}

/** Atoms that do not begin with a small letter are quoted. */
function atomText(name: string): string {
  return /^[a-z]/.test(name) ? name : `'${name}'`;
}

/** As Erlang writes a term. */
function raw(value: TermPart): string {
  if (value instanceof TermAtom) return atomText(value.name);
  if (value instanceof TermBytes)
    return `<<${[...value.bytes].map((byte) => byte.charCodeAt(0)).join(',')}>>`;
  return part(value);
}

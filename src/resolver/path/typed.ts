/** Values of typed parameters, `name+type=value` (resolver.md §4.4). */
import { AoError } from '../../base/errors.ts';
import {
  isInnerList,
  parseDictionary,
  parseItem,
  parseList,
  type Member,
} from '../../codec/structured-fields.ts';
import { Message } from '../../message/message.ts';
import { Atom, type Value } from '../../message/value.ts';
import { fromOctets } from './octets.ts';

/** Unescaped quotes go, escaped ones stay as quotes. */
export function unquote(octets: string): string {
  let out = '';
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] === '"') continue;
    if (octets[at] === '\\' && octets[at + 1] === '"') at++;
    out += octets[at]!;
  }
  return out;
}

const FLOAT = /^[+-]?\d+\.\d+(?:[eE][+-]?\d+)?$/;

/**
 * Decodes a parameter. `undefined`: it can be parsed, but is no such thing, and vanishes as in the reference.
 * @throws AoError `bad-parameter`, `bad-structured-field` for an unknown type or text that cannot be parsed at all
 */
export function decodeParameter(type: string, octets: string): Value | undefined {
  const text = fromOctets(unquote(octets));
  switch (type.toLowerCase()) {
    case 'integer': {
      const { bare } = parseItem(text);
      if (bare.kind === 'boolean') return Atom.boolean(bare.value);
      return bare.kind === 'integer' ? bare.value : undefined;
    }
    case 'float': {
      const value = FLOAT.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) throw bad(type, text);
      return value;
    }
    case 'atom': {
      const { bare } = parseItem(text);
      if (bare.kind === 'token' || bare.kind === 'string') return Atom.of(bare.text);
      throw bad(type, text);
    }
    case 'list':
      return parseList(text).map(memberValue);
    case 'map':
      return Message.from([...parseDictionary(text)].map(([key, member]) => [key, memberValue(member)]));
    default:
      throw bad(type, text);
  }
}

function memberValue(member: Member): Value {
  if (isInnerList(member)) return member.items.map(memberValue);
  const { bare } = member;
  switch (bare.kind) {
    case 'integer':
      return bare.value;
    case 'decimal':
      return Number(bare.text);
    case 'boolean':
      return Atom.boolean(bare.value);
    case 'token':
      return Atom.of(bare.text);
    case 'string':
      return bare.text;
    case 'bytes':
      return bare.bytes;
  }
}

function bad(type: string, text: string): AoError {
  const shown = JSON.stringify(text.slice(0, 80));
  return new AoError('bad-parameter', `A parameter of type ${type.slice(0, 40)} cannot be ${shown}.`);
}

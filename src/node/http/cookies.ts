/** Cookies in and out (RFC 6265): they live in private data, never in a key. */
import { Message } from '../../message/message.ts';
import { isBinary, type Value } from '../../message/value.ts';
import { fromBytes } from '../../base/bytes.ts';

/** `a=1; b="2"` by names; what has no name is left out. */
export function parseCookies(header: string): Message {
  const fields = new Map<string, Value>();
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at <= 0 || name === '') continue;
    const value = pair.slice(at + 1).trim();
    fields.set(name, /^".*"$/s.test(value) ? value.slice(1, -1) : value);
  }
  return new Message(fields);
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\x20-\x3a\x3c-\x7e]*$/;

/** `Set-Cookie` lines of a reply: a text by itself, or a message with `value`, `attributes` and `flags`. */
export function setCookieLines(cookies: unknown): string[] {
  if (!(cookies instanceof Message)) return [];
  const lines: string[] = [];
  for (const [name, cookie] of cookies) {
    const value = cookie instanceof Message ? textOf(cookie.get('value')) : textOf(cookie);
    if (value === undefined || !TOKEN.test(name) || !VALUE.test(value)) continue;
    lines.push(`${name}="${value.replaceAll('"', '')}"${cookie instanceof Message ? extras(cookie) : ''}`);
  }
  return lines;
}

function extras(cookie: Message): string {
  let out = '';
  for (const [name, value] of cookie.message('attributes') ?? []) {
    const text = textOf(value);
    if (text !== undefined && TOKEN.test(name) && VALUE.test(text)) out += `; ${name}=${text}`;
  }
  const flags = cookie.get('flags');
  if (Array.isArray(flags))
    for (const flag of flags as readonly Value[]) {
      const text = textOf(flag);
      if (text !== undefined && TOKEN.test(text)) out += `; ${text}`;
    }
  return out;
}

function textOf(value: Value | undefined): string | undefined {
  if (!isBinary(value)) return undefined;
  return typeof value === 'string' ? value : fromBytes(value);
}

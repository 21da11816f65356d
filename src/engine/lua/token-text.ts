/** A token as the reference's parser names it in `syntax error before: …`. */
import type { Token } from './lexer.ts';
import { erlangString, latin1ToUtf8 } from './lexer.ts';
import { numberText } from './number-text.ts';

/** Keywords of Lua that are reserved words of Erlang too and so appear in quotes. */
const QUOTED = new Set(['and', 'end', 'if', 'not', 'or']);

export function tokenText(token: Token): string {
  switch (token.kind) {
    case 'end':
      return '';
    case 'number':
      return numberText(token.value);
    case 'sign':
      return /^[a-z]/.test(token.text) && !QUOTED.has(token.text) ? token.text : `'${token.text}'`;
    default:
      return binaryText(token.text);
  }
}

/** A binary as Erlang prints it: text if it is printable, else its bytes. */
export function binaryText(bytes: string): string {
  if (bytes === '') return '<<>>';
  if (/^[\x07-\x0d\x1b\x20-\x7e]+$/.test(bytes)) return `<<${erlangString(bytes)}>>`;
  const text = decodeUtf8(bytes);
  if (text !== undefined && !/[\0-\x06\x0e-\x1a\x1c-\x1f\x7f-\x9f]/.test(text))
    return `<<"${bytes.replace(/["\\]/g, '\\$&')}"/utf8>>`;
  if (/^[\x07-\x0d\x1b\x20-\x7e\xa0-\xff]+$/.test(bytes))
    return `<<"${latin1ToUtf8(bytes.replace(/["\\]/g, '\\$&'))}">>`;
  return `<<${[...bytes].map((byte) => byte.charCodeAt(0)).join(',')}>>`;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that a byte string is the UTF-8 form of, or undefined. */
export function decodeUtf8(bytes: string): string | undefined {
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes;
  try {
    return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

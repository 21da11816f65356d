/** What a body is, so that it can be shown as that. */

export type Shown =
  | { kind: 'empty' }
  | { kind: 'json'; text: string }
  | { kind: 'html'; text: string }
  | { kind: 'text'; text: string; cut: boolean }
  | { kind: 'image'; type: string }
  | { kind: 'bytes'; hex: string; cut: boolean };

/** Characters and bytes that are shown at most; the whole of it can be saved. */
const MAX_TEXT = 200_000;
const MAX_HEX = 2_048;
// SVG is left out: as an image it is harmless, but as text it shows what it is.
const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon)$/;

export function showBody(body: Uint8Array, contentType: string): Shown {
  if (body.length === 0) return { kind: 'empty' };
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  if (IMAGES.test(type)) return { kind: 'image', type };
  const text = decode(body);
  if (text === undefined)
    return { kind: 'bytes', hex: hexDump(body.subarray(0, MAX_HEX)), cut: body.length > MAX_HEX };
  if (type === 'text/html' || type === 'application/xhtml+xml') return { kind: 'html', text };
  if (/[/+]json$/.test(type) || (!type && /^\s*[[{]/.test(text))) {
    const pretty = text.length <= MAX_TEXT ? indentJson(text) : undefined;
    if (pretty !== undefined) return { kind: 'json', text: pretty };
  }
  return { kind: 'text', text: text.slice(0, MAX_TEXT), cut: text.length > MAX_TEXT };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * JSON with line breaks, every token as it stands in the source: parsing and printing again would round large
 * integers, which AO has. Undefined where the text is not JSON.
 */
export function indentJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|[[\]{}:,]|[^\s"[\]{}:,]+/g)) {
    if (token === '{' || token === '[') {
      depth++;
      out += token + line();
    } else if (token === '}' || token === ']') {
      depth--;
      // An empty object or list stays on its line.
      out = /[[{]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ',') out += token + line();
    else if (token === ':') out += ': ';
    else out += token;
  }
  return out;
}

export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}

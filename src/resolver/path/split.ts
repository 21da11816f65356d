/**
 * The splitter that knows quotes and parentheses (resolver.md §4.1): separators count only outside both.
 * A `"` opens a quoted run up to the next unescaped `"`; a stray `)` is an ordinary character; what is not
 * closed swallows the rest, and an unclosed quote is closed as the reference closes it.
 */

/** Position of the first of `separators` from `start` that counts, or the text's length. */
export function findSeparator(text: string, separators: string, start = 0): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') {
      at = endOfQuote(text, at);
      continue;
    }
    if (depth === 0 && separators.includes(character)) return at;
    if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
  }
  return text.length;
}

/** Position of the quote that closes the one at `start`, or the text's length. */
function endOfQuote(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** All pieces between separators that count. */
export function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (;;) {
    const end = findSeparator(text, separator, start);
    pieces.push(text.slice(start, end));
    if (end === text.length) break;
    start = end + 1;
  }
  const last = pieces.length - 1;
  pieces[last] = closeQuote(pieces[last]!);
  return pieces;
}

/** The text, with a quote appended where one was left open. */
function closeQuote(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '"') continue;
    at = endOfQuote(text, at);
    if (at >= text.length) return text + '"';
  }
  return text;
}

/** True for what the reference takes for a sub-path: it looks at the two ends and at nothing between. */
export function isParenthesised(text: string): boolean {
  return text.length >= 2 && text.startsWith('(') && text.endsWith(')');
}

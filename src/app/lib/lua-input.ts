/**
 * Tells a finished Lua input from one that goes on, so that Enter can run the one and break the other's line,
 * as a REPL does. It only counts: whether the code is right is for the process to say.
 */

const OPEN = new Set(['function', 'do', 'then', 'repeat', '(', '{', '[']);
const CLOSE = new Set(['end', 'until', ')', '}', ']']);

const TOKENS =
  /--\[(=*)\[[\s\S]*?(?:\]\1\]|$)|--[^\n]*|\[(=*)\[[\s\S]*?(?:\]\2\]|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|[A-Za-z_]\w*|[(){}[\]]/g;

/** True when blocks, brackets or long strings are still open. */
export function needsMore(source: string): boolean {
  let depth = 0;
  for (const match of source.matchAll(TOKENS)) {
    const token = match[0];
    const level = match[1] ?? match[2];
    if (level !== undefined) {
      if (!token.endsWith(`]${level}]`)) return true;
    } else if (OPEN.has(token)) depth++;
    else if (CLOSE.has(token)) depth--;
    // `elseif … then` opens again what `then` before it opened.
    else if (token === 'elseif') depth--;
  }
  return depth > 0;
}

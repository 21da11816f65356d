/**
 * Text with ANSI colours, as aos prints it, into runs that a component renders as text nodes.
 * Only SGR sequences (`ESC [ … m`) mean something here; every other escape sequence is dropped.
 */

export type AnsiColour =
  'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white' | 'gray';

export interface AnsiRun {
  text: string;
  colour?: AnsiColour;
  bold?: true;
  dim?: true;
  italic?: true;
  underline?: true;
}

const COLOURS: AnsiColour[] = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

// CSI sequences, OSC sequences with their text, and two-character escapes; then stray control characters.
const ESCAPES = /\x1b\[([0-9;:]*)([ -/]*[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^[\]]?/g;
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/g;

type Style = Omit<AnsiRun, 'text'>;

export function parseAnsi(text: string): AnsiRun[] {
  const runs: AnsiRun[] = [];
  let style: Style = {};
  let at = 0;
  const push = (piece: string) => {
    const clean = piece.replace(CONTROLS, '');
    if (!clean) return;
    const last = runs.at(-1);
    if (last && sameStyle(last, style)) last.text += clean;
    else runs.push({ text: clean, ...style });
  };
  for (const match of text.matchAll(ESCAPES)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === 'm') style = applySgr(style, match[1] ?? '');
  }
  push(text.slice(at));
  return runs;
}

/** The text alone: for a clipboard, a title, a screen reader. */
export function stripAnsi(text: string): string {
  return parseAnsi(text)
    .map((run) => run.text)
    .join('');
}

function sameStyle(a: Style, b: Style): boolean {
  return (
    a.colour === b.colour &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.italic === b.italic &&
    a.underline === b.underline
  );
}

function applySgr(before: Style, parameters: string): Style {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number);
  let style: Style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) {
      delete style.bold;
      delete style.dim;
    } else if (code === 23) delete style.italic;
    else if (code === 24) delete style.underline;
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30]!;
    else if (code === 90) style.colour = 'gray';
    else if (code >= 91 && code <= 97) style.colour = COLOURS[code - 90]!;
    else if (code === 39) delete style.colour;
    // 256-colour and true-colour forms carry arguments that must not be read as codes of their own.
    else if (code === 38 || code === 48) {
      if (codes[i + 1] === 5) {
        if (code === 38) setIndexed(style, codes[i + 2]);
        i += 2;
      } else if (codes[i + 1] === 2) i += 4;
    }
  }
  return style;
}

function setIndexed(style: Style, index: number | undefined): void {
  if (index === undefined || index > 15) delete style.colour;
  else if (index === 8) style.colour = 'gray';
  else style.colour = COLOURS[index % 8]!;
}

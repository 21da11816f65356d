/** The lines that the runner prints. */

export interface Result {
  readonly family: string;
  readonly case: string;
  readonly ok: boolean;
  readonly skipped?: boolean;
  readonly expected?: string;
  readonly got?: string;
  readonly due: boolean;
}

const WIDTH = 200;

/** `FAMILY CASE: expected … got …` on one line, cut. */
export function caseLine({ family, case: name, expected = '', got = '' }: Result): string {
  const room = WIDTH - `${family} ${name}: expected  got `.length;
  // Half the room each, and what one does not need the other may have.
  const left = cut(expected, Math.max(20, room - Math.min(got.length, room >> 1)));
  return cut(`${family} ${name}: expected ${left} got ${got}`, WIDTH);
}

function cut(text: string, width: number): string {
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** One line per family, in the order of their names. */
export function summary(results: readonly Result[]): string[] {
  const families = [...new Set(results.map(({ family }) => family))].sort();
  return families.map((family) => {
    const list = results.filter((result) => result.family === family);
    return `${family}: ${counts(list)}${dueNote(list)}`;
  });
}

function dueNote(list: readonly Result[]): string {
  const due = list.filter((result) => result.due).length;
  return due === list.length ? '' : due === 0 ? ' (not due)' : ` (${due} due)`;
}

export function lastLine(results: readonly Result[]): string {
  return counts(results);
}

function counts(list: readonly Result[]): string {
  const passed = list.filter(({ ok }) => ok).length;
  const skipped = list.filter(({ skipped }) => skipped).length;
  const failed = list.length - passed - skipped;
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}

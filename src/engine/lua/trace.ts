/** Where an error happened (lua.md §12.6). */
import { Frame, type AnyFrame } from './frame.ts';
import { WIDTH } from './opcodes.ts';
import { NONE, type Value } from './value.ts';

export interface TraceEntry {
  /** Name, or undefined for an anonymous function. */
  readonly function: string | undefined;
  /** For built-ins: the library. */
  readonly library: string | undefined;
  /** `<module>:<line>` of what runs, undefined for built-ins. */
  readonly line: string | undefined;
  /** The function's parameters, as they stand. */
  readonly parameters: readonly Value[];
}

const LONGEST = 64;

/** Innermost first; at most 64 entries. */
export function traceOf(frame: AnyFrame | undefined): TraceEntry[] {
  const out: TraceEntry[] = [];
  for (let at = frame; at && out.length < LONGEST; at = at.up) out.push(entry(at));
  return out;
}

function entry(frame: AnyFrame): TraceEntry {
  if (!(frame instanceof Frame))
    return { function: frame.fn.name, library: frame.fn.library, line: undefined, parameters: frame.args };
  const { proto } = frame;
  const line = proto.lines[Math.max(0, frame.pc / WIDTH - 1)] ?? proto.line;
  return {
    function: proto.name,
    library: undefined,
    line: `${proto.chunk.name}:${line}`,
    parameters: [...frame.registers.slice(0, proto.parameters), ...(frame.varargs ?? NONE)],
  };
}

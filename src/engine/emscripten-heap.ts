import { PAGE_BYTES } from './engine.ts';
import type { LinearMemory } from './linear-memory.ts';

/** Bytes by which the heap may grow beyond what was asked for. */
const MOST_AHEAD = 96 * 1024 * 1024;

/**
 * Emscripten's rule for a heap that is full (process.md §4.5): a fifth more than it was, or what is asked for if
 * that is more; then, if refused, a tenth and a twentieth more.
 */
export function growHeap(memory: LinearMemory, wanted: number, limit: number): boolean {
  const old = memory.byteLength;
  if (wanted > limit) return false;
  for (const cut of [1, 2, 4]) {
    const ahead = Math.min(old * (1 + 0.2 / cut), wanted + MOST_AHEAD);
    const target = Math.min(limit, Math.ceil(Math.max(wanted, ahead) / PAGE_BYTES) * PAGE_BYTES);
    if (memory.grow(Math.floor((target - old + PAGE_BYTES - 1) / PAGE_BYTES))) return true;
  }
  return false;
}

import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../src/engine/engine.ts';
import { LinearMemory } from '../../../src/engine/linear-memory.ts';
import { loadImage, PageTracker } from '../../../src/engine/pages.ts';

// Element-wise matchers take seconds over a whole memory.
const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(b);
const fresh = (pages: number) => new LinearMemory(new WebAssembly.Memory({ initial: pages }), 32);

describe('PageTracker', () => {
  it('finds exactly the pages that changed, and gives a page that became zero without bytes', () => {
    const memory = fresh(6);
    const tracker = new PageTracker();
    memory.bytes[0] = 1;
    memory.bytes[3 * PAGE_BYTES - 1] = 2;
    tracker.look(memory);
    expect(tracker.takeChanged().map(({ index }) => index)).toEqual([0, 2]);
    tracker.look(memory);
    expect(tracker.takeChanged()).toEqual([]);
    memory.bytes[0] = 0;
    memory.bytes[5 * PAGE_BYTES + 77] = 9;
    tracker.look(memory);
    const changed = tracker.takeChanged();
    expect(changed.map(({ index }) => index)).toEqual([0, 5]);
    expect(changed[0]!.bytes).toBeUndefined();
    expect(changed[1]!.bytes![77]).toBe(9);
  });

  it('adds up changes over several looks', () => {
    const memory = fresh(4);
    const tracker = new PageTracker();
    memory.bytes[10] = 1;
    tracker.look(memory);
    memory.bytes[PAGE_BYTES] = 1;
    tracker.look(memory);
    expect(tracker.takeChanged().map(({ index }) => index)).toEqual([0, 1]);
  });

  it('restores what it last saw, over whatever is there now, also in a new and smaller memory', () => {
    const memory = fresh(3);
    const tracker = new PageTracker();
    for (let i = 0; i < memory.byteLength; i += 4099) memory.bytes[i] = i & 255;
    memory.bytes.fill(0, PAGE_BYTES, 2 * PAGE_BYTES);
    tracker.look(memory);
    const before = memory.bytes.slice();
    memory.bytes.fill(0xee);
    expect(tracker.restore(memory)).toBe(true);
    expect(same(memory.bytes, before)).toBe(true);
    const other = fresh(1);
    other.bytes.fill(3);
    expect(tracker.restore(other)).toBe(true);
    expect(same(other.bytes, before)).toBe(true);
  });

  it('round-trips an image and refuses one that memory cannot hold', () => {
    const memory = fresh(3);
    memory.bytes[2 * PAGE_BYTES + 1] = 5;
    const tracker = new PageTracker();
    tracker.look(memory);
    const image = { byteLength: tracker.byteLength, pages: tracker.pages(), globals: {} };
    expect(image.pages).toHaveLength(1);
    const other = fresh(1);
    expect(loadImage(other, image)).toBe(true);
    expect(same(other.bytes, memory.bytes)).toBe(true);
    const small = new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2 }), 32);
    expect(loadImage(small, image)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { concatBytes, fromBytes } from '../../../src/base/bytes.ts';
import { FrameReader, writeFrame, type RequestHead } from '../../../src/command/envelope.ts';

const head = (id: number): RequestHead => ({
  id,
  method: 'GET',
  target: '/a%20b&c=(d)',
  headers: [
    ['x-twice', 'one'],
    ['x-twice', 'two'],
    ['x-octets', fromBytes(Uint8Array.of(0xff, 0xe9, 0x41))],
  ],
});

describe('the bridge’s frames', () => {
  it('come out as they went in, however the octets arrive', () => {
    const bodies = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(70_000).fill(7)];
    const all = concatBytes(...bodies.map((body, id) => writeFrame(head(id), body)));
    for (const size of [1, 7, 1000, all.length]) {
      const reader = new FrameReader<RequestHead>();
      const frames = [];
      for (let at = 0; at < all.length; at += size) frames.push(...reader.push(all.subarray(at, at + size)));
      expect(frames.map((frame) => frame.head)).toEqual([head(0), head(1), head(2)]);
      expect(frames.map((frame) => frame.body)).toEqual(bodies);
    }
  });

  it('refuse a length that no frame has', () => {
    expect(() => new FrameReader().push(new Uint8Array(8).fill(0xff))).toThrow(/too large/);
  });
});

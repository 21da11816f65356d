import { describe, expect, it } from 'vitest';
import { hexDump, indentJson, showBody } from '../../../src/app/lib/body.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('bodies', () => {
  it('are shown as what their type says, or as what they are', () => {
    expect(showBody(new Uint8Array(), 'text/plain')).toEqual({ kind: 'empty' });
    expect(showBody(bytes('<b>x</b>'), 'text/html; charset=utf-8').kind).toBe('html');
    expect(showBody(bytes('{"a":1}'), 'application/json').kind).toBe('json');
    expect(showBody(bytes('{"a":1}'), '').kind).toBe('json');
    expect(showBody(bytes('{not json'), 'application/json')).toEqual({
      kind: 'text',
      text: '{not json',
      cut: false,
    });
    expect(showBody(bytes('plain'), '')).toEqual({ kind: 'text', text: 'plain', cut: false });
    expect(showBody(Uint8Array.of(0x89, 0x50), 'image/png')).toEqual({ kind: 'image', type: 'image/png' });
    expect(showBody(bytes('<svg/>'), 'image/svg+xml').kind).toBe('text');
    expect(showBody(Uint8Array.of(0xff, 0), 'text/plain').kind).toBe('bytes');
  });
  it('that are long are cut, and say so', () => {
    expect(showBody(bytes('x'.repeat(300_000)), 'text/plain')).toMatchObject({ kind: 'text', cut: true });
    expect(showBody(new Uint8Array(3000), '')).toMatchObject({ kind: 'bytes', cut: true });
  });
});

describe('JSON', () => {
  it('is indented without touching a token', () => {
    expect(indentJson('{"n":12345678901234567890,"s":"a, {b}: [c]\\"","e":{},"l":[1.0,[]]}')).toBe(
      '{\n  "n": 12345678901234567890,\n  "s": "a, {b}: [c]\\"",\n  "e": {},\n  "l": [\n    1.0,\n    []\n  ]\n}',
    );
    expect(indentJson('nope')).toBeUndefined();
    expect(indentJson('"[ ]"')).toBe('"[ ]"');
  });
});

it('dumps bytes in rows of sixteen', () => {
  expect(hexDump(bytes('0123456789abcdefg'))).toBe(
    '000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n' +
      `000010  67${' '.repeat(45)}  g`,
  );
});

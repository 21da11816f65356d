import { describe, expect, it } from 'vitest';
import { mktime, strftime, writeGmtime, writeLocaltime } from '../../../src/engine/emscripten-time.ts';
import { LinearMemory, utf8Bytes } from '../../../src/engine/linear-memory.ts';

const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), 32);
const TM = 64;
const FORMAT = 256;
const OUT = 512;

function format(pattern: string, seconds: number): string {
  writeLocaltime(memory, seconds, TM);
  memory.writeText(FORMAT, utf8Bytes(pattern));
  strftime(memory, OUT, 200, FORMAT, TM);
  return memory.text(OUT);
}

const at = (text: string) => Date.parse(text) / 1000;

describe('the calendar', () => {
  it('formats every conversion', () => {
    const time = at('2024-02-29T13:05:09Z');
    expect(format('%Y-%m-%d %H:%M:%S', time)).toBe('2024-02-29 13:05:09');
    expect(format('%a %A %b %B %h', time)).toBe('Thu Thursday Feb February Feb');
    expect(format('%c|%x|%X|%D|%F|%R|%T|%r', time)).toBe(
      'Thu Feb 29 13:05:09 2024|02/29/24|13:05:09|02/29/24|2024-02-29|13:05|13:05:09|01:05:09 PM',
    );
    expect(format('%C %y %e %I %p %j %u %w %%', time)).toBe('20 24 29 01 PM 060 4 4 %');
    expect(format('%Ey %Od %n%t|', time)).toBe('24 29 \n\t|');
    expect(format('%z', time)).toBe('+0000');
  });

  it('counts weeks', () => {
    const weeks = (text: string) => format('%U %W %V %G %g', at(text));
    expect(weeks('2021-01-01T00:00:00Z')).toBe('00 00 53 2020 20');
    expect(weeks('2021-01-04T00:00:00Z')).toBe('01 01 01 2021 21');
    expect(weeks('2018-12-31T00:00:00Z')).toBe('52 53 01 2019 19');
    expect(weeks('2016-12-31T00:00:00Z')).toBe('52 52 52 2016 16');
  });

  it('brings fields in order and counts seconds', () => {
    writeGmtime(memory, 0, TM);
    const set = (field: number, value: number) => memory.writeInt(TM + 4 * field, value);
    for (const [field, value] of [-1, 61, 25, 31, 2, 124].entries()) set(field, value);
    expect(mktime(memory, TM)).toBe(at('2024-04-01T02:00:59Z'));
    expect([0, 1, 2, 3, 4, 5].map((field) => memory.readInt(TM + 4 * field))).toEqual([59, 0, 2, 1, 3, 124]);
    expect(memory.readInt(TM + 28)).toBe(91);
  });

  it('writes nothing where there is no room', () => {
    memory.writeText(FORMAT, utf8Bytes('%Y'));
    expect(strftime(memory, OUT, 4, FORMAT, TM)).toBe(0);
    expect(strftime(memory, OUT, 5, FORMAT, TM)).toBe(4);
  });
});

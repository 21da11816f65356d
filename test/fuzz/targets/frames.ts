/** The frames in which the bridge and its page talk. */
import { FrameReader, writeFrame } from '../../../src/command/envelope.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['\0\0\0\x02{}', '\0\0\0\0', '{"id":1}'],
  seeds: () => {
    const frame = writeFrame(
      { id: 1, method: 'GET', target: '/~meta@1.0/info', headers: [['host', 'a']] },
      Uint8Array.of(1, 2, 3),
    );
    return few([frame, Buffer.concat([frame, frame])]);
  },
  run(input) {
    const reader = new FrameReader();
    const middle = input.length >> 1;
    reader.push(input.slice(0, middle));
    reader.push(input.slice(middle));
  },
});

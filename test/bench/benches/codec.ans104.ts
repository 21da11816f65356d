/** `codec.ans104`: messages (ten fields, one nested, bundled) written as a data item and read again, a second. */
import { ans104Bytes, decodeAns104 } from '../../../src/codec/ans104.ts';
import { decodeStructured, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { defineBench, rate } from '../bench.ts';
import { sampleMessage } from '../sample.ts';

export default defineBench(async (context) => {
  let index = 0;
  const round = () => {
    decodeStructured(decodeAns104(ans104Bytes(encodeStructuredMessage(sampleMessage(index++)))));
  };
  return { value: await rate(round, context), unit: 'op/s' };
});

/** `codec.httpsig`: messages (ten fields, one nested, bundled) encoded as HTTP and decoded again, a second. */
import { decodeHttpsig, encodeHttpsig } from '../../../src/codec/httpsig.ts';
import { decodeStructuredMessage, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { defineBench, rate } from '../bench.ts';
import { sampleMessage } from '../sample.ts';

export default defineBench(async (context) => {
  let index = 0;
  const round = () => {
    const form = encodeHttpsig(encodeStructuredMessage(sampleMessage(index++)));
    decodeStructuredMessage(decodeHttpsig(form).tabm);
  };
  return { value: await rate(round, context), unit: 'op/s' };
});

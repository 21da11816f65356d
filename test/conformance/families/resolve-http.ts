/** `resolve-http`: a request to a fresh node is answered as the reference answered it (vectors README). */
import { handle } from '../../../src/node/http.ts';
import { defineFamily, Mismatch, type Json } from '../family.ts';
import { expectResponse, toRequest, type RecordedRequest, type RecordedResponse } from '../http.ts';
import { preload, testNode } from '../node.ts';

interface ResolveCase {
  category: string;
  request: RecordedRequest;
  response: RecordedResponse;
  cached?: { id: string; message: Json }[];
  /** Other answers that are right too. */
  also?: RecordedResponse[];
}

export default defineFamily<ResolveCase>({
  family: 'resolve-http',
  async run({ data, document }) {
    const context = await testNode();
    await preload(context, data.cached ?? [], document);
    const got = await handle(toRequest(data.request), context);
    try {
      await expectResponse(data.response, got, context);
    } catch (thrown) {
      if (!(thrown instanceof Mismatch) || !data.also?.some(({ status }) => status === got.status))
        throw thrown;
    }
  },
});

/** `pay-and-hooks`: sequences of exchanges with a node of certain options (vectors README). */
import { handle } from '../../../src/node/http.ts';
import { defineFamily, type Json } from '../family.ts';
import { expectResponse, toRequest, type RecordedRequest, type RecordedResponse } from '../http.ts';
import { preload, testNode, walletOf } from '../node.ts';

interface Exchange {
  'wait-ms'?: number;
  request?: RecordedRequest;
  response?: RecordedResponse;
}

interface PayCase {
  kind: string;
  config: Json;
  'node-key': Json;
  preload?: { id: string; message: Json }[];
  exchanges: Exchange[];
}

export default defineFamily<PayCase>({
  family: 'pay-and-hooks',
  async run({ data, document }) {
    const context = await testNode({ config: data.config, identity: await walletOf(data['node-key']) });
    await preload(context, data.preload ?? [], document);
    for (const [index, exchange] of data.exchanges.entries()) {
      if (exchange['wait-ms'] !== undefined)
        await new Promise((resolve) => setTimeout(resolve, exchange['wait-ms']));
      if (!exchange.request || !exchange.response) continue;
      const got = await handle(toRequest(exchange.request), context);
      await expectResponse(exchange.response, got, context, `exchanges/${index + 1}`);
    }
  },
});

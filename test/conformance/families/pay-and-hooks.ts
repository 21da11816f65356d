/** `pay-and-hooks`: sequences of exchanges with a node of certain options (vectors README). */
import { handle } from '../../../src/node/http.ts';
import type { HttpResponse } from '../../../src/resolver/context.ts';
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
    const renaming = new Renaming(data);
    for (const [index, exchange] of data.exchanges.entries()) {
      if (exchange['wait-ms'] !== undefined)
        await new Promise((resolve) => setTimeout(resolve, exchange['wait-ms']));
      if (!exchange.request || !exchange.response) continue;
      const got = await handle(toRequest(exchange.request), context);
      await expectResponse(renaming.apply(exchange.response, got), got, context, `exchanges/${index + 1}`);
    }
  },
});

const ID = /^[A-Za-z0-9_-]{43}$/;

/**
 * A node that schedules signs assignments of its own, with the time in them: their IDs are others in every run. Such
 * an ID (one that the record has in its answers alone) may have another name here, but always the same one.
 */
class Renaming {
  readonly #known: string;
  readonly #schedules: boolean;
  readonly #names = new Map<string, string>();
  readonly #taken = new Map<string, string>();

  constructor(data: PayCase) {
    const { exchanges, ...rest } = data;
    this.#known = JSON.stringify([rest, exchanges.map(({ request }) => request)]);
    this.#schedules = exchanges.some(({ response }) => typeOf(response?.['some-keys']) === 'assignment');
  }

  /** The record with our names in it, as far as the answer is consistent with it. */
  apply(recorded: RecordedResponse, got: HttpResponse): RecordedResponse {
    const { decoded } = recorded;
    if (!this.#schedules || typeof decoded !== 'object' || decoded === null || Array.isArray(decoded))
      return recorded;
    const headers = { ...recorded.headers };
    const fields = { ...decoded };
    for (const [key, value] of Object.entries(decoded)) {
      if (typeof value !== 'string' || !ID.test(value) || this.#known.includes(value)) continue;
      const ours = got.headers.find(([name]) => name === key)?.[1];
      if (ours === undefined || !ID.test(ours) || !this.#agree(value, ours)) continue;
      fields[key] = ours;
      headers[key] = ours;
    }
    return { ...recorded, decoded: fields, headers };
  }

  #agree(theirs: string, ours: string): boolean {
    if (!this.#names.has(theirs) && !this.#taken.has(ours)) {
      this.#names.set(theirs, ours);
      this.#taken.set(ours, theirs);
    }
    return this.#names.get(theirs) === ours && this.#taken.get(ours) === theirs;
  }
}

function typeOf(json: Json | undefined): Json | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? json['type'] : undefined;
}

/**
 * What a foreign legacynet does not answer as it should, in front of it: its scheduler's route for schedules ends the
 * server, its assignments all have the nonce 0 and are signed by its messenger, and its gateway shows keys as objects and
 * no headers of transactions. Items, order, results and data are the foreign legacynet's; the assignments alone are made
 * here, by the rules, with a key that the process names as its scheduler.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concatBytes, fromBase64, toBase64Url } from '../../src/base/bytes.ts';
import type { DataItem } from '../../src/codec/ans104-item.ts';
import { createItem, rsaSigner } from '../../src/commitment/ans104-sign.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { RsaWallet } from '../../src/crypto/wallet.ts';
import type { ForeignLegacynet } from '../setup/foreign-legacynet.mjs';
import { shownItem } from '../setup/fake-legacynet.ts';

type Json = Record<string, unknown>;

export class ForeignFront {
  readonly #net: ForeignLegacynet;
  readonly #scheduler: RsaWallet;
  /** Headers of transactions that the foreign gateway took, by ID. */
  readonly #headers = new Map<string, Json>();
  readonly #assignments = new Map<string, DataItem[]>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  constructor(net: ForeignLegacynet, scheduler: RsaWallet) {
    this.#net = net;
    this.#scheduler = scheduler;
  }

  async listen(): Promise<{ gateway: string; scheduler: string }> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return { gateway: `${origin}/gateway`, scheduler: `${origin}/scheduler` };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Gives a signed transaction to the foreign gateway. */
  async post(transaction: Json): Promise<void> {
    const answer = await fetch(`${this.#net.gateway}/tx`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(transaction),
    });
    if (!answer.ok) throw new Error(`The foreign gateway answered ${answer.status}.`);
    this.#headers.set(String(transaction.id), { ...transaction, data: '' });
  }

  /** IDs of what was sent to a process, in the order in which the foreign legacynet evaluated it, with the results. */
  async results(process: string): Promise<{ id: string; result: Json }[]> {
    const reply = await fetch(`${this.#net.compute}/results/${process}?limit=1000`);
    const { edges } = (await reply.json()) as { edges: { cursor: string; node: Json }[] };
    return edges.map(({ cursor, node }) => ({ id: cursor, result: node }));
  }

  /** What GraphQL says, keys as text. */
  async query(query: string, variables: Json): Promise<Json[]> {
    const reply = await fetch(`${this.#net.gateway}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data } = (await reply.json()) as { data?: { transactions: { edges: { node: Json }[] } } };
    return (data?.transactions.edges ?? []).map(({ node }) => {
      const owner = node.owner as { address?: string; key?: unknown } | undefined;
      const inner = owner?.key as { key?: string } | string | undefined;
      const key = typeof inner === 'object' ? (inner.key ?? '') : (inner ?? '');
      return { ...node, ...(owner ? { owner: { address: owner.address, key } } : {}) };
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    const url = new URL(request.url ?? '/', 'http://front');
    if (request.method === 'OPTIONS') return void response.writeHead(204, headers).end();
    const [, unit, ...path] = url.pathname.split('/');
    const reply =
      unit === 'gateway' ? await this.#gateway(request, path) : await this.#schedule(path, url.searchParams);
    if (reply === undefined) return void response.writeHead(404, headers).end();
    if (reply instanceof Uint8Array) return void response.writeHead(200, headers).end(reply);
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(reply));
  }

  async #gateway(request: IncomingMessage, [first, second]: string[]): Promise<unknown> {
    if (first === 'graphql') {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part as Uint8Array);
      const { query, variables } = JSON.parse(Buffer.concat(parts).toString()) as {
        query: string;
        variables: Json;
      };
      const nodes = await this.query(query, variables);
      return { data: { transactions: { edges: nodes.map((node) => ({ node })) } } };
    }
    if (first === 'tx') return this.#headers.get(second ?? '');
    if (first === 'raw') return undefined;
    return this.#data(first ?? '');
  }

  async #data(id: string): Promise<Uint8Array | undefined> {
    const reply = await fetch(`${this.#net.gateway}/${id}`);
    return reply.ok ? new Uint8Array(await reply.arrayBuffer()) : undefined;
  }

  async #schedule([first, second]: string[], query: URLSearchParams): Promise<unknown> {
    const process = query.get('process-id') ?? first ?? '';
    const ids = (await this.results(process)).map(({ id }) => id);
    if (second === 'latest') return this.#node(process, ids, ids.length - 1);
    if (first !== process || query.get('process-id') === null) return undefined;
    const from = Number(query.get('from-nonce') ?? -1) + 1;
    const limit = Number(query.get('limit') ?? 100);
    const edges: unknown[] = [];
    for (let nonce = from; nonce < Math.min(ids.length, from + limit); nonce++)
      edges.push({ node: await this.#node(process, ids, nonce), cursor: String(nonce) });
    return { page_info: { has_next_page: from + limit < ids.length }, edges };
  }

  async #node(process: string, ids: readonly string[], nonce: number): Promise<Json> {
    const id = ids[nonce]!;
    const fields = 'id anchor signature recipient owner { address key } tags { name value }';
    const [found] = await this.query(
      `query($ids: [ID!]!) { transactions(ids: $ids, first: 1) { edges { node { ${fields} } } } }`,
      { ids: [id] },
    );
    const data = await this.#data(id);
    const { recipient, ...shown } = found!;
    const assignment = await this.#assignment(process, ids, nonce);
    return {
      message: { ...shown, target: recipient, data: new TextDecoder().decode(data) },
      assignment: { ...shownItem(assignment), data: undefined },
    };
  }

  /** Made once: a signature is never the same twice. */
  async #assignment(process: string, ids: readonly string[], nonce: number): Promise<DataItem> {
    const made = this.#assignments.get(process) ?? [];
    this.#assignments.set(process, made);
    while (made.length <= nonce) {
      const before = made.at(-1);
      const hash = sha256(
        before ? concatBytes(before.id, fromBase64(String(before.tag('Hash-Chain')))) : fromBase64(process),
      );
      const tags = {
        Process: process,
        Epoch: '0',
        Nonce: String(made.length),
        'Hash-Chain': toBase64Url(hash),
        'Block-Height': '000001500000',
        Timestamp: String(1_700_000_000_000 + made.length),
        'Data-Protocol': 'ao',
        Type: 'Assignment',
        Variant: 'ao.TN.1',
        Message: ids[made.length]!,
      };
      const list = Object.entries(tags).map(([name, value]) => ({ name, value }));
      made.push(await createItem({ tags: list }, rsaSigner(this.#scheduler)));
    }
    return made[nonce]!;
  }
}

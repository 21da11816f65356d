/** What a gateway of Arweave is asked (process.md §5.4): items by ID, checked; records of schedulers; checkpoints. */
import { AoError } from '../../base/errors.ts';
import type { DataItem } from '../../codec/ans104-item.ts';
import type { Context } from '../../resolver/context.ts';
import { itemFrom, MAX_MESSAGE_DATA, type ShownItem } from '../../verify/legacy-item.ts';
import { ask, askJson, header, hostOf, unitUrl } from './json-fetch.ts';

const FIELDS = `id anchor signature recipient owner { address key } tags { name value } data { size }
  bundledIn { id } block { height timestamp }`;
const BY_ID = `query($ids: [ID!]!) { transactions(ids: $ids, first: 1) { edges { node { ${FIELDS} } } } }`;
const LOCATION = `query($owners: [String!]!) { transactions(owners: $owners, tags: [
  { name: "Data-Protocol", values: ["ao"] }, { name: "Type", values: ["Scheduler-Location"] }], first: 1) {
  edges { node { id owner { address key } tags { name value } } } } }`;
const CHECKPOINTS = `query($process: String!, $owners: [String!], $first: Int!) { transactions(owners: $owners, tags: [
  { name: "Data-Protocol", values: ["ao"] }, { name: "Type", values: ["Checkpoint"] },
  { name: "Process", values: [$process] }], first: $first, sort: HEIGHT_DESC) {
  edges { node { ${FIELDS} } } } }`;

/** Milliseconds for what is small. */
const TIMEOUT = 20_000;
/** Milliseconds that a module or a checkpoint may take. */
const LONG = 300_000;
const MAX_JSON = 8 * 1024 * 1024;

/** A transaction or an item as GraphQL shows it. */
export interface GatewayNode extends ShownItem {
  readonly recipient?: unknown;
  readonly data?: { readonly size?: unknown } | null;
  readonly bundledIn?: { readonly id?: unknown } | null;
  readonly block?: { readonly height?: unknown; readonly timestamp?: unknown } | null;
}

export interface GatewayItem {
  readonly item: DataItem;
  /** Block that it is in, as the gateway says; undefined for one that is in none yet. */
  readonly height: number | undefined;
}

export class GatewayClient {
  readonly url: string;
  readonly #context: Context;
  readonly #signal: AbortSignal | undefined;

  /** @throws AoError `bad-url` (400) */
  constructor(url: string, context: Context, signal?: AbortSignal) {
    this.url = unitUrl(url);
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * An item with its data, ID and signature checked. `limit`: largest data in bytes.
   * @throws AoError `not-found` (404), `base-layer` (501) for a transaction that is no item, `item-…` (422), `not-json`,
   *   `gateway-refused` (502)
   */
  async item(id: string, what: string, limit = MAX_MESSAGE_DATA): Promise<GatewayItem> {
    const node = await this.node(id, what);
    const size = Number(node.data?.size ?? 0);
    if (size > limit)
      throw new AoError('item-too-large', `The ${what} ${id} is said to hold ${size} bytes of data.`, {
        status: 422,
        detail: { id, size, limit },
      });
    const data = await this.data(id, limit);
    const height = Number(node.block?.height ?? Number.NaN);
    return {
      item: await checked(node, id, what, data, limit),
      height: Number.isFinite(height) ? height : undefined,
    };
  }

  /** What GraphQL says of an ID: nothing of it is checked. @throws AoError `not-found` (404) */
  async node(id: string, what: string): Promise<GatewayNode> {
    const [found] = await this.#query(BY_ID, { ids: [id] });
    if (found?.id === id) return found;
    throw new AoError('not-found', `The gateway at ${hostOf(this.url)} does not know the ${what} ${id}.`, {
      status: 404,
      detail: { id, gateway: this.url },
    });
  }

  /** Header of a transaction of Arweave itself: nothing of it is checked. @throws AoError `not-found` (404) */
  header(id: string): Promise<unknown> {
    return askJson(`${this.url}/tx/${id}`, this.#context, {
      who: 'gateway',
      timeout: TIMEOUT,
      maxBytes: MAX_JSON,
      signal: this.#signal,
    });
  }

  /** Octets behind an ID, as the gateway says. @throws AoError `not-found` (404), `peer-too-large` (502) */
  async data(id: string, limit: number): Promise<Uint8Array> {
    const options = { who: 'gateway', maxBytes: limit, timeout: LONG, signal: this.#signal };
    try {
      return (await ask(`${this.url}/raw/${id}`, this.#context, options)).body;
    } catch (thrown) {
      // Not every gateway has the route for what is raw.
      if (AoError.wrap(thrown).status !== 404) throw thrown;
      const response = await ask(`${this.url}/${id}`, this.#context, options);
      if (/^text\/html\b/.test(header(response, 'content-type') ?? '') && response.body[0] === 60)
        throw new AoError('not-data', `The gateway at ${hostOf(this.url)} answered with a page of HTML.`, {
          status: 502,
          detail: { id },
        });
      return response.body;
    }
  }

  /** The newest record in which a scheduler says where it is: a hint, since whoever answers there has to sign. */
  async location(address: string): Promise<{ url: string; timeToLive: number } | undefined> {
    const [found] = await this.#query(LOCATION, { owners: [address] });
    if (!found || !Array.isArray(found.tags)) return undefined;
    if (found.owner?.address !== address) return undefined;
    const tag = (name: string) =>
      (found.tags as { name?: unknown; value?: unknown }[]).find(
        (one) => typeof one?.name === 'string' && one.name.toLowerCase() === name,
      )?.value;
    const url = tag('url');
    if (typeof url !== 'string') return undefined;
    const timeToLive = Number(tag('time-to-live'));
    return { url: unitUrl(url), timeToLive: Number.isFinite(timeToLive) ? timeToLive : 0 };
  }

  /** Items that call themselves checkpoints of a process, newest first; nothing of them is checked. */
  checkpoints(process: string, owners: readonly string[] | undefined, first = 50): Promise<GatewayNode[]> {
    return this.#query(CHECKPOINTS, { process, first, ...(owners?.length ? { owners } : {}) });
  }

  async #query(query: string, variables: Record<string, unknown>): Promise<GatewayNode[]> {
    const reply = (await askJson(`${this.url}/graphql`, this.#context, {
      who: 'gateway',
      body: { query, variables },
      timeout: TIMEOUT,
      maxBytes: MAX_JSON,
      signal: this.#signal,
    })) as { data?: { transactions?: { edges?: unknown } } } | null;
    const edges = reply?.data?.transactions?.edges;
    if (!Array.isArray(edges))
      throw new AoError('gateway-refused', `The gateway at ${hostOf(this.url)} did not answer the query.`, {
        status: 502,
        detail: { body: JSON.stringify(reply)?.slice(0, 300) },
      });
    return (edges as ({ node?: GatewayNode } | null)[]).flatMap((edge) => (edge?.node ? [edge.node] : []));
  }
}

/** The item that GraphQL and the data make. @throws AoError `item-…` (422) */
export function checked(
  node: GatewayNode,
  id: string,
  what: string,
  data: Uint8Array,
  limit: number,
): Promise<DataItem> {
  const { data: _size, recipient, ...rest } = node;
  return itemFrom({ ...rest, target: recipient }, { what, id, data, limit });
}

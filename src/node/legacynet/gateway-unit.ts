/** The routes of a gateway that AO clients use (process.md §5.4), over what this node has stored. */
import { toBase64Url, toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { graphql } from '../../device/query-graphql.ts';
import { currentBlock } from '../../device/schedules.ts';
import { Message } from '../../message/message.ts';
import { binaryBytes, isBinary, Link, type Value } from '../../message/value.ts';
import type { Context } from '../../resolver/context.ts';
import { isResult } from '../../resolver/device.ts';
import { messageJson, takeItem } from './items.ts';
import { notFound, type UnitAnswer, type UnitRequest } from './unit-http.ts';

export async function gatewayUnit(request: UnitRequest, context: Context): Promise<UnitAnswer> {
  const { method, path, http } = request;
  const [first, second, third] = path;
  if (first === 'graphql') return query(request, context);
  if (method === 'POST' && (first === undefined || first === 'tx')) {
    // As a bundler takes items: verified, stored, found by their IDs from now on.
    const { id, item } = await takeItem(http.body, context);
    const timestamp = context.clock.now();
    return {
      body: { id, owner: item.signer, timestamp, winc: '0', dataCaches: [], fastFinalityIndexes: [] },
    };
  }
  if (method !== 'GET' && method !== 'HEAD')
    throw new AoError('bad-method', 'There is nothing to be written here.', { status: 405 });
  if (first === 'info' || first === undefined) return info(context);
  if (first === 'tx' && second !== undefined) {
    if (third === undefined) return transaction(second, context);
    if (third === 'data') return data(second, context);
    if (third === 'status')
      return { body: { block_height: 0, block_indep_hash: '', number_of_confirmations: 0 } };
    throw notFound('A gateway of this node shows transactions, their data and their status.');
  }
  // Nothing costs anything here, and nobody has a balance.
  if (first === 'tx_anchor') return plain(currentBlock(context).hash);
  if (first === 'price' && second !== undefined) return plain('0');
  if (first === 'wallet' && third === 'balance') return plain('0');
  if (first === 'wallet' && third === 'last_tx') return plain('');
  if (first === 'raw' && second !== undefined) return data(second, context);
  return data(first, context);
}

function plain(text: string): UnitAnswer {
  return { headers: [['content-type', 'text/plain; charset=utf-8']], body: toBytes(text) };
}

function info(context: Context): UnitAnswer {
  const { height, hash } = currentBlock(context);
  return {
    body: {
      network: 'beamlet',
      version: 1,
      release: 1,
      height: Number(height),
      current: hash,
      blocks: Number(height),
      peers: 0,
      queue_length: 0,
      node_state_latency: 0,
    },
  };
}

async function query({ http, query: parameters }: UnitRequest, context: Context): Promise<UnitAnswer> {
  const text = parameters.get('query');
  const variables = parameters.get('variables');
  const asked =
    text === null
      ? Message.of({ body: http.body })
      : Message.of({ query: text, ...(variables === null ? {} : { variables }) });
  const answer = await graphql(Message.empty, asked, context);
  const value: Value = isResult(answer) ? answer.value : answer;
  const body = value instanceof Message ? value.get('body') : undefined;
  if (!isBinary(body)) throw new AoError('bad-query', 'The query has no answer.');
  return { headers: [['content-type', 'application/json']], body: binaryBytes(body) };
}

async function stored(id: string, context: Context): Promise<Value> {
  const value = /^[A-Za-z0-9_-]{43}$/.test(id) ? await context.cache.read(id) : undefined;
  if (value === undefined) throw notFound(`There is nothing at ${id.slice(0, 60)} here.`);
  return value;
}

async function data(id: string, context: Context): Promise<UnitAnswer> {
  const value = await stored(id, context);
  if (isBinary(value)) return { body: binaryBytes(value) };
  if (!(value instanceof Message)) throw notFound(`What is at ${id} has no data.`);
  let content = value.get('data') ?? value.get('body');
  if (content instanceof Link) content = await context.cache.load(content);
  const type = value.text('content-type') ?? 'application/octet-stream';
  return {
    headers: [['content-type', /^[\x20-\x7e]+$/.test(type) ? type : 'application/octet-stream']],
    body: isBinary(content) ? binaryBytes(content) : new Uint8Array(0),
  };
}

/** The header of a transaction, in the form of Arweave's own HTTP interface. */
async function transaction(id: string, context: Context): Promise<UnitAnswer> {
  const value = await stored(id, context);
  if (!(value instanceof Message)) throw notFound(`What is at ${id} is no message.`);
  const message = await messageJson(value, context);
  const base64 = (text: string) => toBase64Url(toBytes(text));
  let content = value.get('data') ?? value.get('body');
  if (content instanceof Link) content = await context.cache.load(content);
  return {
    body: {
      format: 2,
      id: message.id,
      last_tx: message.anchor,
      owner: message.owner.key,
      tags: message.tags.map(({ name, value: text }) => ({ name: base64(name), value: base64(text) })),
      target: message.target,
      quantity: '0',
      data: '',
      data_size: String(isBinary(content) ? binaryBytes(content).length : 0),
      data_root: '',
      reward: '0',
      signature: message.signature,
    },
  };
}

/**
 * `delegated-compute@1.0` (process.md §3.6): asks a compute unit over HTTP for the result of a slot. The unit is
 * the node's option `compute-unit`; its replies are believed as they come, which is why `genesis-wasm@1.0` does
 * not use it here.
 */
import { fromBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { parseJson, writeJson } from '../codec/json-text.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { edgeOf } from './aos-2-schedule.ts';
import { messageStruct, numberedOutbox, resultsOf } from './json-struct.ts';
import { signedId } from './message-id.ts';
import { integerOf, readKey, setPath, textOf } from './values.ts';

const DEFAULT_UNIT = 'http://localhost:6363';
const MAX_REPLY = 64 * 1024 * 1024;

async function ask(path: string, body: string, context: Context): Promise<string> {
  const unit = (textOf(context.option('compute-unit')) ?? DEFAULT_UNIT).replace(/\/+$/, '');
  const response = await context.http.request(
    {
      method: 'POST',
      target: unit + path,
      headers: [
        ['content-type', 'application/json'],
        ['accept', 'application/json'],
      ],
      body: toBytes(body),
    },
    { timeout: 60_000, maxBytes: MAX_REPLY },
  );
  const text = fromBytes(response.body);
  if (response.status !== 200)
    throw new AoError('peer-refused', `The compute unit answered with status ${response.status}.`, {
      status: 502,
      detail: { status: response.status, body: text.slice(0, 500) },
    });
  return text;
}

async function processId(base: Message, context: Context): Promise<string> {
  const process = await readKey(base, 'process', context);
  return signedId(process instanceof Message ? process : base, context);
}

const compute: KeyFunction = async (base, request, context) => {
  const id = await processId(base, context);
  let reply: string;
  if (textOf(request.get('type')) === 'assignment') {
    const slot = integerOf(request.get('slot')) ?? 0;
    const page = Message.of({
      page_info: { process: id, has_next_page: false },
      edges: [await edgeOf(slot, request, context)],
    });
    reply = await ask(`/result/${slot}?process-id=${id}`, writeJson(page), context);
  } else {
    const struct = await messageStruct(request.without('commitments'), context);
    reply = await ask(`/dry-run?process-id=${id}`, writeJson(struct), context);
  }
  const parsed = parseJson(reply, { integers: 'unbounded' });
  if (!(parsed instanceof Message))
    throw new AoError('peer-refused', 'The compute unit answered with something that is no result.', {
      status: 502,
    });
  const { data, outbox, patches } = resultsOf(parsed);
  const results = Message.from([
    ['data', data],
    ['outbox', numberedOutbox(outbox)],
    ['patches', patches],
    ['json', Message.of({ 'content-type': 'application/json', body: reply })],
    ['raw', parsed],
  ]);
  const prefix = textOf(base.get('output-prefix')) ?? '';
  const parts = [...prefix.split('/').filter((part) => part !== ''), 'results'];
  const cleared = parts.length === 1 ? base.without('results') : base;
  return { status: 'ok', value: await setPath(cleared, parts, results, context) };
};

const snapshot: KeyFunction = async (base, _request, context) => {
  try {
    const reply = await ask(`/snapshot/${await processId(base, context)}`, '{}', context);
    return { status: 'ok', value: Message.of({ data: reply }) };
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    return {
      status: 'ok',
      value: Message.of({ error: 'No checkpoint produced.', 'error-details': error.message }),
    };
  }
};

export const delegatedCompute: Device = {
  name: 'delegated-compute@1.0',
  keys: {
    init: (base) => ({ status: 'ok', value: base }),
    compute,
    snapshot,
    normalize: (base) => ({ status: 'ok', value: base.without('snapshot') }),
  },
};

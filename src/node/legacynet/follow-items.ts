/** The definition and the module of a process that is followed: had from a gateway, checked, and stored. */
import { AoError } from '../../base/errors.ts';
import { toBytes } from '../../base/bytes.ts';
import type { DataItem } from '../../codec/ans104-item.ts';
import { MAX_MODULE_BYTES, inspectModule } from '../../engine/inspect.ts';
import { Message } from '../../message/message.ts';
import { binaryBytes, isBinary } from '../../message/value.ts';
import type { Context } from '../../resolver/context.ts';
import { itemFrom, lacksData, messageOfItem, tagText } from '../../verify/legacy-item.ts';
import type { GatewayClient } from './gateway-client.ts';
import { loadTransaction } from './base-layer.ts';
import type { SchedulerClient } from './scheduler-client.ts';

export interface Definition {
  readonly item: DataItem;
  /** Block that the process is in, where somebody says so. */
  readonly height: number | undefined;
}

const ENCODING = /^JSON-V?1$/i;

/**
 * The item of a process: as the gateway has it, else as its scheduler shows it.
 * @throws AoError `not-found` (404), `item-…`, `unsupported-encoding` (422), `no-cron` (501)
 */
export async function loadDefinition(
  process: string,
  gateway: GatewayClient,
  scheduler: SchedulerClient | undefined,
): Promise<Definition> {
  const shown = await scheduler?.definition().catch((thrown: unknown) => missing(thrown));
  let found: Definition;
  try {
    const { item, height } = await gateway.item(process, 'process');
    found = { item, height: height ?? shown?.height };
  } catch (thrown) {
    if (!missing(thrown) && shown && !lacksData(shown.shown))
      found = {
        item: await itemFrom(shown.shown, { what: 'process', id: process }),
        height: shown.height,
      };
    else throw thrown;
  }
  refuseCron(found.item);
  return found;
}

/** Undefined for what is only not there, thrown again otherwise. */
function missing(thrown: unknown): undefined {
  const error = AoError.wrap(thrown);
  if (error.status === 404 || error.code.endsWith('-refused')) return undefined;
  throw thrown;
}

function refuseCron(item: DataItem): void {
  if (tagText(item, 'Cron-Interval') !== undefined)
    throw new AoError(
      'no-cron',
      'The process has a Cron-Interval: its compute units evaluate messages that no schedule shows, and this node does not.',
      { status: 501 },
    );
}

/**
 * Brings a module here, if it is not, with its ID and signature checked: a data item, or a transaction of Arweave itself.
 * Answers what is to be known about it.
 * @throws AoError `not-found` (404), `item-…`, `transaction-…`, `bad-module`, `unsupported-encoding` (422)
 */
export async function ensureModule(id: string, gateway: GatewayClient, context: Context): Promise<string[]> {
  const message = (await stored(id, context)) ?? (await fetched(id, gateway, context));
  for (const name of ['input-encoding', 'output-encoding']) {
    const encoding = message.text(name);
    if (encoding !== undefined && !ENCODING.test(encoding))
      throw new AoError(
        'unsupported-encoding',
        `The module's ${name} ${encoding.slice(0, 40)} is not known here.`,
        {
          status: 422,
          detail: { module: id },
        },
      );
  }
  return /weavedrive/i.test(message.text('extension') ?? '')
    ? ['The module may read Arweave while it runs (WeaveDrive); here it finds nothing there.']
    : [];
}

async function stored(id: string, context: Context): Promise<Message | undefined> {
  const found = await context.cache.read(id);
  return found instanceof Message ? found : undefined;
}

async function fetched(id: string, gateway: GatewayClient, context: Context): Promise<Message> {
  const message = await itemOrTransaction(id, gateway);
  const bytes = message.get('data');
  inspectModule(isBinary(bytes) ? binaryBytes(bytes) : toBytes(''));
  const root = await context.cache.write(message);
  // A transaction has no commitment that leads from its ID to it.
  if (!(await context.cache.read(id))) await context.cache.link(root, id);
  return message;
}

async function itemOrTransaction(id: string, gateway: GatewayClient): Promise<Message> {
  const node = await gateway.node(id, 'module');
  const isBundled = typeof node.bundledIn?.id === 'string' && node.bundledIn.id !== '';
  try {
    return messageOfItem((await gateway.item(id, 'module', MAX_MODULE_BYTES)).item);
  } catch (thrown) {
    // Gateways do not say which of the two it is: only the signature does.
    const { code } = AoError.wrap(thrown);
    if (code !== 'item-signature' || isBundled) throw thrown;
    return loadTransaction(id, gateway, MAX_MODULE_BYTES);
  }
}

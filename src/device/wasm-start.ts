/** Starting the WASM program that a state names, with its limits, from its beginning or from a memory. */
import { toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { sha256Async } from '../crypto/hash.ts';
import type { MemoryImage } from '../engine/engine.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { limitsOf } from './limits.ts';
import { IdleEnd } from './machine-idle.ts';
import { driveOf } from './weave-drive.ts';
import { isIdText } from './message-id.ts';
import { readFirst, readKey, readPath, textOf } from './values.ts';
import type { WasmInstance } from './wasm-instance.ts';

interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly message: Message | undefined;
}

/**
 * The module that a state names: `image`, for legacynet processes `module`.
 * @throws AoError `no-image` (404), `bad-module` (422)
 */
export async function imageOf(base: Message, context: Context): Promise<Image> {
  const prefix = textOf(base.get('input-prefix')) ?? '';
  const named = await readFirst(
    [
      [base, prefix ? `${prefix}/image` : 'image'],
      [base, prefix ? `${prefix}/module` : 'module'],
      [base, 'body'],
    ],
    context,
  );
  if (named === undefined)
    throw new AoError('no-image', 'There is no WASM image: neither `image` nor `module` is there.', {
      status: 404,
    });
  const found = isIdText(named) ? await context.cache.read(textOf(named)!) : named;
  if (found === undefined)
    throw new AoError('no-image', `The WASM image ${textOf(named)} is not here.`, {
      status: 404,
      detail: { image: textOf(named) ?? '' },
    });
  const loaded = found instanceof Link ? await context.cache.load(found) : found;
  if (loaded instanceof Message) {
    const bytes = await readFirst(
      [
        [loaded, 'body'],
        [loaded, 'data'],
      ],
      context,
    );
    if (isBinary(bytes)) return { bytes: own(bytes), message: loaded };
  }
  if (isBinary(loaded)) return { bytes: own(loaded), message: undefined };
  throw new AoError('bad-module', 'The WASM image holds no bytes.', { status: 422 });
}

function own(value: Value): Uint8Array<ArrayBuffer> {
  const bytes = binaryBytes(value as string | Uint8Array);
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}

/** Starts an instance of the state's module, with that memory where one is given. */
export async function startInstance(
  base: Message,
  context: Context,
  memory?: MemoryImage,
): Promise<WasmInstance> {
  const prefix = textOf(base.get('input-prefix')) ?? '';
  const mode = textOf(await readPath(base, prefix ? `${prefix}/Mode` : 'Mode', context));
  if (mode !== undefined && mode !== 'WASM')
    throw new AoError('bad-wasm-mode', `This node runs no images in mode ${mode.slice(0, 40)}.`, {
      status: 501,
    });
  const { bytes, message } = await imageOf(base, context);
  const moduleHash = toBase64Url(await sha256Async(bytes));
  const process = await readKey(base, 'process', context);
  const limits = limitsOf(process instanceof Message ? process : base, message, context);
  const format = textOf(message?.get('module-format'));
  const engine = await context.engines.startWasm(
    {
      module: bytes,
      moduleHash,
      limits,
      ...(memory ? { memory } : {}),
      ...(format === undefined ? {} : { format }),
    },
    process instanceof Message ? driveOf(process, message, context) : undefined,
  );
  if (process instanceof Message) return { engine, moduleHash };
  return { engine, moduleHash, idle: new IdleEnd(() => engine.close()) };
}

/** What a case asks a commitment device for, as our own request. */
import { toBytes } from '../../../../src/base/bytes.ts';
import type { CommitRequest } from '../../../../src/commitment/commitment-device.ts';
import { Atom } from '../../../../src/message/value.ts';
import type { Message } from '../../../../src/message/message.ts';
import type { Value } from '../../../../src/message/value.ts';
import type { Json } from '../../family.ts';
import { toMessage } from '../../value.ts';

/** `json`: the name of a device, or a request with `commitment-device`. */
export function commitRequest(json: Json): CommitRequest {
  if (typeof json === 'string') return {};
  const request = toMessage(json);
  const committed = request.get('committed');
  const secret = request.text('secret');
  return {
    ...text(request, 'type'),
    ...text(request, 'keyid'),
    ...text(request, 'scheme'),
    ...(Array.isArray(committed) ? { committed: (committed as readonly Value[]).map(String) } : {}),
    ...(isTrue(request.get('bundle')) ? { bundle: true } : {}),
    ...(secret === undefined ? {} : { secret: toBytes(secret) }),
  };
}

export function commitDeviceName(json: Json): string {
  return typeof json === 'string' ? json : (toMessage(json).text('commitment-device') ?? 'httpsig@1.0');
}

function text(request: Message, key: 'type' | 'keyid' | 'scheme'): Partial<Record<typeof key, string>> {
  const value = request.text(key);
  return value === undefined ? {} : { [key]: value };
}

function isTrue(value: Value | undefined): boolean {
  return value === 'true' || Atom.true.is(value);
}

/** The encodings of `commit-multi`: what encoding gives and what decoding makes of it. */
import { fromBase64 } from '../../../../src/base/bytes.ts';
import { hasWrongDigest } from '../../../../src/codec/httpsig.ts';
import { parseDictionary } from '../../../../src/codec/structured-fields.ts';
import {
  decodeHttpMessage,
  encodeHttp,
  formToMessage,
  type HttpForm,
  messageToForm,
} from '../../../../src/commitment/http.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import type { Load } from '../../../../src/commitment/link.ts';
import { committers, EVERY, SIGNED } from '../../../../src/commitment/select.ts';
import { verifyMessage } from '../../../../src/commitment/verify.ts';
import { equalValues } from '../../../../src/message/equal.ts';
import type { Message } from '../../../../src/message/message.ts';
import { check, checkBytes, checkJson, type Json, Mismatch } from '../../family.ts';
import { expectValue, fromValue, isError, sameValue, toMessage } from '../../value.ts';

export interface Wire {
  readonly bundle?: boolean;
  readonly headers: Json;
  readonly body?: string;
  readonly limit?: string;
  readonly decoded: Json;
  readonly committers: Json;
  readonly 'id-all': string;
  readonly 'id-none': string;
  readonly 'verify-all': Json;
  readonly 'verify-every-commitment': Json;
}

/** Where an answer may differ from the reference's. */
export interface Leeway {
  /** The case has a `limit`. */
  readonly limited: boolean;
  /** Forged commitments of an `insecure` case, by ID. */
  readonly refused: ReadonlyMap<string, Message>;
}

export function isTrueJson(json: Json): boolean {
  return JSON.stringify(json) === '{"$atom":"true"}';
}

/** `message`: what was encoded, where the case has it; `secret`: the key of its HMAC, if it has one of its own. */
export async function checkWire(
  wire: Wire,
  load: Load,
  leeway: Leeway,
  where: string,
  message?: Message,
  secret?: Uint8Array,
): Promise<void> {
  const headers = toMessage(wire.headers);
  const body = wire.body === undefined ? undefined : fromBase64(wire.body);
  const form: HttpForm = { headers: messageToForm(headers).headers, body };
  if (message) await checkEncoded(form, await encodeHttp(message, { bundle: wire.bundle, load }), where);

  const limited = leeway.limited || wire.limit !== undefined;
  if (isError(wire.decoded)) {
    await refuseOrDecode(form, where);
    return;
  }
  const decoded = decodeHttpMessage(form);
  check(hasWrongDigest(form), limited && hasWrongDigest(form), `${where}/content-digest`);
  const comparison = { where: `${where}/decoded`, id: linkId };
  if (!limited || !(await sameValue(fromValue(message ?? decoded), decoded, comparison)))
    await expectValue(wire.decoded, decoded, comparison);
  check(wire['id-all'], messageId(decoded, 'signed'), `${where}/id-all`);
  check(wire['id-none'], messageId(decoded, 'unsigned'), `${where}/id-none`);
  checkJson(wire.committers, fromValue(committers(decoded)), `${where}/committers`);
  const forged = [...(decoded.message('commitments') ?? [])].some(([id, commitment]) => {
    const known = leeway.refused.get(id);
    return known !== undefined && equalValues(known, commitment);
  });
  for (const [key, selection] of [
    ['verify-all', SIGNED],
    ['verify-every-commitment', EVERY],
  ] as const) {
    const yes = await verifyMessage(decoded, selection, { load, secret });
    if (forged && key === 'verify-every-commitment') check(false, yes, `${where}/${key}`);
    else if (!limited && !forged) check(isTrueJson(wire[key]), yes, `${where}/${key}`);
  }
}

const linkId = (value: Parameters<typeof messageId>[0]) => messageId(value, 'signed');

/** Fields and body; the parameters of a signature in any order. */
async function checkEncoded(expected: HttpForm, got: HttpForm, where: string): Promise<void> {
  const without = (form: HttpForm) => formToMessage(form).without('signature-input', 'body');
  await expectValue(fromValue(without(expected)), without(got), { where: `${where}/headers` });
  checkJson(signatureInputs(expected), signatureInputs(got), `${where}/headers/signature-input`);
  if ((expected.body?.length ?? 0) || (got.body?.length ?? 0))
    checkBytes(expected.body ?? new Uint8Array(0), got.body ?? new Uint8Array(0), `${where}/body`);
}

/** `signature-input` with its parameters in any order: theirs is not fixed. */
export function signatureInputs(form: HttpForm): unknown {
  const field = form.headers.get('signature-input');
  if (field === undefined) return null;
  return [...parseDictionary(field as string)].map(([label, member]) => {
    if (!('items' in member)) throw new Mismatch('an inner list', member, label);
    return {
      label,
      components: member.items.map(({ bare }) => JSON.stringify(bare)),
      parameters: [...member.parameters].map(([name, bare]) => `${name}=${show(bare)}`).sort(),
    };
  });
}

function show(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}

async function refuseOrDecode(form: HttpForm, where: string): Promise<void> {
  try {
    decodeHttpMessage(form);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AoError') return;
    throw new Mismatch('a typed refusal', thrown, where);
  }
}

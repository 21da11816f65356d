/**
 * `codec`: one message in every form, encoded and decoded. Forms that the reference could not make because of a limit of
 * its own are not compared; where it loses something on the way back, its loss or the whole message is right.
 */
import { fromBase64, toBase64Url } from '../../../src/base/bytes.ts';
import { DataItem, decodeAns104, encodeAns104 } from '../../../src/codec/ans104.ts';
import { decodeFlat, encodeFlat } from '../../../src/codec/flat.ts';
import { parseJson } from '../../../src/codec/json-text.ts';
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { decodeStructured, encodeStructured } from '../../../src/codec/structured.ts';
import {
  decodeHttp,
  encodeHttp,
  formToMessage,
  messageToForm,
  toTabm,
} from '../../../src/commitment/http.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import type { Value } from '../../../src/message/value.ts';
import { check, checkBytes, checkJson, checkRefused, defineFamily, type Json, Mismatch } from '../family.ts';
import { expectValue, isError, sameValue, toMessage, toValue } from '../value.ts';

const FORMS = ['tabm', 'flat', 'json', 'httpsig', 'httpsig-linked', 'ans104-unsigned'] as const;
type Form = (typeof FORMS)[number];

type CodecCase = Record<Form, Json> & {
  readonly id: string;
  readonly message: Json;
  readonly decoded?: Partial<Record<Form, Json>>;
};

const LIMITS = /function_clause|missing_key|invalid_byte/;

const linkId = (value: Value) => messageId(value, 'signed');

export default defineFamily<CodecCase>({
  family: 'codec',
  async run({ data }) {
    const message = toValue(data.message);
    check(data.id, messageId(message), 'id');
    for (const form of FORMS) {
      const recorded = data[form];
      if (isError(recorded)) {
        if (!LIMITS.test(JSON.stringify(recorded))) await checkRefused(() => encode(form, message), form);
        continue;
      }
      await checkEncoded(form, recorded, await encode(form, message));
      await checkDecoded(form, recorded, data);
    }
  },
});

interface Item {
  readonly bytes: string;
  readonly id: string;
}

async function encode(form: Form, message: Value): Promise<Value> {
  switch (form) {
    case 'tabm':
      return encodeStructured(message);
    case 'flat':
      return encodeFlat(await toTabm(message));
    case 'json':
      return encodeJson(message);
    case 'httpsig':
      return formToMessage(await encodeHttp(message, { bundle: true }));
    case 'httpsig-linked':
      return formToMessage(await encodeHttp(message));
    case 'ans104-unsigned':
      return encodeAns104(await toTabm(message, { bundle: true })).toBytes();
  }
}

async function checkEncoded(form: Form, recorded: Json, got: Value): Promise<void> {
  if (form === 'json') checkJsonText(recorded as string, got as string);
  else if (form === 'ans104-unsigned') {
    const item = recorded as unknown as Item;
    checkBytes(fromBase64(item.bytes), got as Uint8Array, form);
    check(item.id, toBase64Url(DataItem.parse(got as Uint8Array).unsignedId), 'ID of the item');
  } else await expectValue(recorded, got, { where: form });
}

/** Equal as JSON, and as the typed values that AO-Core reads: `1` is not `1.0`. */
function checkJsonText(expected: string, got: string): void {
  checkJson(JSON.parse(expected), JSON.parse(got), 'json');
  if (!equalValues(parseJson(expected), parseJson(got))) throw new Mismatch(expected, got, 'json');
}

function decode(form: Form, recorded: Json): Value {
  switch (form) {
    case 'tabm':
      return decodeStructured(toMessage(recorded));
    case 'flat':
      return decodeStructured(decodeFlat(toMessage(recorded)));
    case 'json':
      return decodeJson(recorded as string);
    case 'httpsig':
    case 'httpsig-linked':
      return decodeHttp(messageToForm(toMessage(recorded)));
    case 'ans104-unsigned':
      return decodeStructured(decodeAns104(fromBase64((recorded as unknown as Item).bytes)));
  }
}

async function checkDecoded(form: Form, recorded: Json, data: CodecCase): Promise<void> {
  const lossy = data.decoded?.[form];
  let got: Value;
  try {
    got = withoutUnsigned(decode(form, recorded));
  } catch (thrown) {
    if (isError(lossy) && thrown instanceof Error && thrown.name === 'AoError') return;
    throw new Mismatch(lossy ?? data.message, thrown, `decoding ${form}`);
  }
  if (await sameValue(data.message, got, { id: linkId })) return;
  const expected = lossy === undefined || isError(lossy) ? data.message : lossy;
  await expectValue(expected, got, { where: `decoding ${form}`, id: linkId });
}

/** An unsigned item with capitals in its tags is read with a commitment, which the recorded message has not. */
function withoutUnsigned(value: Value): Value {
  return value instanceof Message ? value.without('commitments') : value;
}

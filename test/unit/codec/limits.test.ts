/** What decoders do not go beyond (`codec/limits.ts`). */
import { expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { decodeFlat } from '../../../src/codec/flat.ts';
import { decodeHttpsig } from '../../../src/codec/httpsig.ts';
import { decodeJson } from '../../../src/codec/json.ts';
import { KeyCount, MAX_DEPTH, MAX_FIELD, MAX_PARTS } from '../../../src/codec/limits.ts';
import { parseItem } from '../../../src/codec/structured-fields.ts';
import { Message } from '../../../src/message/message.ts';

const refused = (code: string) => expect.objectContaining({ name: 'AoError', code }) as Error;

it('counts keys', () => {
  const count = new KeyCount(3);
  count.add(2);
  count.add();
  expect(() => count.add()).toThrow(refused('too-many-keys'));
});

it('ends at a depth, whatever the form', () => {
  const deep = 'a/'.repeat(MAX_DEPTH + 1);
  expect(() => decodeFlat(Message.of({ [deep]: 'x' }))).toThrow(refused('too-deep'));
  expect(() => decodeJson(`${'['.repeat(MAX_DEPTH + 1)}1${']'.repeat(MAX_DEPTH + 1)}`)).toThrow(
    refused('too-deep'),
  );
  const body = toBytes(`--B\r\ncontent-disposition: form-data;name="${deep}"\r\n\r\nx\r\n--B--`);
  const headers = new Map([['content-type', 'multipart/x; boundary=B']]);
  expect(() => decodeHttpsig({ headers, body })).toThrow(refused('too-deep'));
  const fits = 'a/'.repeat(MAX_DEPTH - 1);
  expect(() => decodeFlat(Message.of({ [fits]: 'x' }))).not.toThrow();
});

it('ends at a number of parts', () => {
  const part = '--B\r\ncontent-disposition: inline\r\n\r\nx\r\n';
  const body = toBytes(`${part.repeat(MAX_PARTS + 1)}--B--`);
  const headers = new Map([['content-type', 'multipart/x; boundary=B']]);
  expect(() => decodeHttpsig({ headers, body })).toThrow(refused('too-many-keys'));
});

it('ends at a length of a field', () => {
  expect(() => parseItem('a'.repeat(MAX_FIELD + 1))).toThrow(refused('field-too-long'));
});

/** What encoder and decoder of `ans104@1.0` share: the names in tags and commitments (messages.md §8.3, §8.5). */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { textOf } from '../message/tabm.ts';
import { isBinary, type Value } from '../message/value.ts';
import { lowerCase, type Tag } from './ans104-tags.ts';

export const ANS104_DEVICE = 'ans104@1.0';
/** Type of the commitment of an item that nobody signed. */
export const UNSIGNED_TYPE = 'unsigned-sha256';

/** Tags that say how the item is to be read, by their exact names. */
export const META_TAGS: ReadonlySet<string> = new Set([
  'bundle-format',
  'bundle-version',
  'bundle-map',
  'ao-data-key',
]);

export const BUNDLE_TAGS: readonly Tag[] = [
  { name: 'bundle-format', value: 'binary' },
  { name: 'bundle-version', value: '2.0.0' },
];

export const BINARY_TAG: Tag = { name: 'ao-type', value: 'binary' };

export function sameTag(a: Tag | undefined, b: Tag | undefined): boolean {
  return a !== undefined && b !== undefined && a.name === b.name && textOf(a.value) === textOf(b.value);
}

export function sameTags(a: readonly Tag[], b: readonly Tag[]): boolean {
  return a.length === b.length && a.every((tag, index) => sameTag(tag, b[index]));
}

/** The tags as a numbered message of `{name, value}`: `original-tags`. */
export function tagsToMessage(tags: readonly Tag[]): Message {
  return Message.from(
    tags.map(
      (tag, index) =>
        [
          String(index + 1),
          Message.from([
            ['name', tag.name],
            ['value', tag.value],
          ]),
        ] as const,
    ),
  );
}

/** @throws AoError `bad-commitment` */
export function messageToTags(value: Value): Tag[] {
  return listOf(value).map((entry) => {
    const name = entry instanceof Message ? textOf(entry.get('name')) : undefined;
    const given = entry instanceof Message ? entry.get('value') : undefined;
    if (name === undefined || !isBinary(given))
      throw new AoError('bad-commitment', 'An original tag has no name or no value.');
    return { name, value: given };
  });
}

/** A list, or a numbered message as it is after travelling, as an array. @throws AoError `bad-commitment` */
export function listOf(value: Value | undefined): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[];
  if (!(value instanceof Message)) throw new AoError('bad-commitment', 'A commitment lacks a list.');
  const keys = [...value.keys()].filter((key) => key !== 'ao-types');
  if (!keys.every((key) => /^[1-9]\d{0,8}$/.test(key)))
    throw new AoError('bad-commitment', 'A list in a commitment has other keys than numbers.');
  return keys.sort((a, b) => Number(a) - Number(b)).map((key) => value.get(key)!);
}

/** The `committed` keys of a commitment. @throws AoError `bad-commitment` */
export function committedKeys(commitment: Message): string[] {
  return listOf(commitment.get('committed')).map((key) => {
    const text = textOf(key);
    if (text === undefined) throw new AoError('bad-commitment', 'A committed key is no text.');
    return text;
  });
}

/** What a commitment says under `bundle`: whether the item has a tag of that name, in whatever case. */
export function bundleFlag(item: { readonly tags: readonly Tag[] }): string {
  return String(item.tags.some(({ name }) => lowerCase(name) === 'bundle-format'));
}

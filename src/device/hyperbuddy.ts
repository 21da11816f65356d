/** `hyperbuddy@1.0` (resolver.md §9.0): messages as pages, for a person with a browser. */
import { fromBytes, toHex, utf8 } from '../base/bytes.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { Atom, binaryBytes, isBinary, Link, type Value } from '../message/value.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Characters of one value, and levels of nesting, that a page shows. */
const MAX_TEXT = 4096;
const MAX_DEPTH = 8;

function scalar(value: Value): string {
  if (isBinary(value)) {
    const bytes = binaryBytes(value);
    const text = utf8(bytes);
    const shown = text ?? `hex:${toHex(bytes.subarray(0, MAX_TEXT / 2))}`;
    return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}…` : shown;
  }
  if (value instanceof Atom) return value.name;
  return String(value);
}

function typeName(value: Value): string {
  if (isBinary(value)) return 'binary';
  if (value instanceof Atom) return 'atom';
  return typeof value === 'bigint' ? 'integer' : 'float';
}

function rows(message: Message, depth: number): string {
  const keys = [...message.keys()].filter((key) => !isPrivateKey(key)).sort();
  return keys.map((key) => row(key, message.get(key)!, depth)).join('');
}

function row(key: string, value: Value, depth: number): string {
  return `<tr><th scope="row">${escapeHtml(key)}</th><td>${cell(value, depth)}</td></tr>`;
}

function cell(value: Value, depth: number): string {
  if (value instanceof Link) return `<a href="/${encodeURIComponent(value.id)}">${escapeHtml(value.id)}</a>`;
  if (depth > MAX_DEPTH) return '…';
  if (value instanceof Message) return `<table>${rows(value, depth + 1)}</table>`;
  if (Array.isArray(value))
    return `<table>${(value as readonly Value[]).map((item, at) => row(String(at + 1), item, depth + 1)).join('')}</table>`;
  if (typeof value === 'object' && !isBinary(value) && !(value instanceof Atom))
    return '<i>resolved when it is read</i>';
  const text = scalar(value);
  const shown = text.includes('\n') ? `<pre>${escapeHtml(text)}</pre>` : escapeHtml(text);
  return `${shown} <small>${typeName(value)}</small>`;
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;color-scheme:light dark;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #8884;padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;white-space:nowrap}small{opacity:.6}pre{margin:0;white-space:pre-wrap}`;

/** The page that shows a message. */
const index: KeyFunction = (base) => {
  const shown = base.without('device', 'commitments');
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Message</title>
<style>${STYLE}</style>
<h1>Message</h1>
<table>${rows(shown, 0)}</table>
</html>
`;
  return Message.of({ 'content-type': 'text/html', body });
};

function lines(value: Value, indent: string): string {
  if (value instanceof Message) {
    const keys = [...value.keys()].filter((key) => !isPrivateKey(key)).sort();
    return keys.map((key) => line(key, value.get(key)!, indent)).join('\n');
  }
  return (value as readonly Value[]).map((item, at) => line(String(at + 1), item, indent)).join('\n');
}

function line(key: string, value: Value, indent: string): string {
  if (indent.length > 2 * MAX_DEPTH) return `${indent}${key} => …`;
  if (value instanceof Link) return `${indent}${key} => link ${value.id}`;
  if (value instanceof Message || Array.isArray(value))
    return `${indent}${key} =>\n${lines(value, `${indent}  `)}`;
  if (typeof value === 'object' && !isBinary(value) && !(value instanceof Atom))
    return `${indent}${key} => (unresolved)`;
  return `${indent}${key} => ${scalar(value)} [${typeName(value)}]`;
}

/** Base and request as text. */
const format: KeyFunction = (base, request) => {
  const shown = Message.from([
    ['base', base.without('device')],
    ['request', request.without('path')],
  ]);
  return Message.of({
    'content-type': 'text/plain; charset=utf-8',
    body: fromBytes(binaryBytes(`${lines(shown, '')}\n`)),
  });
};

/** What a browser sees that asks for the node itself where no app is served. */
const dashboard: KeyFunction = (_base, _request, context) => {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>AO-Core node</title>
<style>${STYLE}</style>
<h1>An AO-Core node</h1>
<table>
<tr><th scope="row">Address</th><td>${escapeHtml(context.identity.address)}</td></tr>
<tr><th scope="row">Options</th><td><a href="/~meta@1.0/info">/~meta@1.0/info</a></td></tr>
<tr><th scope="row">Build</th><td><a href="/~meta@1.0/build">/~meta@1.0/build</a></td></tr>
</table>
</html>
`;
  return Message.of({ 'content-type': 'text/html', body });
};

export const hyperbuddy: Device = {
  name: 'hyperbuddy@1.0',
  info: { default: () => error(Atom.notFound), excludes: ['keys', 'set'] },
  keys: { index, format, dashboard },
};

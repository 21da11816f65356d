/** Verifications by what they are about, and what people paste when they mean a process. */
import type { Verification } from '../../client/index.ts';
import { shortPath } from './aopath.ts';

const PROCESS = /\/([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])/;

/** Process that a URL is about, if any. */
export function processOf(url: string): string | undefined {
  return PROCESS.exec(url)?.[1];
}

/** A URL in one line: its host, and its path with IDs shortened. */
export function placeOf(url: string): string {
  const origin = /^https?:\/\/[^/]+/.exec(url)?.[0] ?? '';
  return `${origin.replace(/^https?:\/\//, '')}${shortPath(url.slice(origin.length))}`;
}

/** Verifications of a process, newest first. */
export function runsOf(process: string, all: readonly Verification[]): Verification[] {
  return all.filter(({ request, report }) => (report?.process ?? processOf(request.url)) === process);
}

/** What was pasted as a URL that can be verified: scheme added, and `~process@1.0/now` after a bare ID. */
export function toVerifiable(typed: string): string {
  const text = typed.trim().replace(/#.*$/, '');
  const url = /^[a-z]+:\/\//i.test(text) || text === '' ? text : `https://${text}`;
  return /^[a-z]+:\/\/[^/]+\/[A-Za-z0-9_-]{43}\/?$/i.test(url)
    ? `${url.replace(/\/$/, '')}~process@1.0/now`
    : url;
}

/** From media types to codecs (resolver.md §7.3): for `accept`, `content-type` and `require-codec`. */
import { AoError } from '../../base/errors.ts';

/** Codecs that a request or reply can be in. */
export const CODECS = ['httpsig@1.0', 'json@1.0', 'ans104@1.0', 'flat@1.0', 'structured@1.0'] as const;

export const DEFAULT_CODEC = 'httpsig@1.0';

const CODEC_NAMES: ReadonlySet<string> = new Set(CODECS);

/**
 * The codec that a media type asks for. Parameters do not count; of a list the first that names a codec is taken,
 * and where a page is asked for, that is `httpsig@1.0` (resolver.md §13, Q9).
 * @throws AoError `unknown-codec` (415) for an exact name that is no codec
 */
export function codecOf(mime: string | undefined, fallback = DEFAULT_CODEC): string {
  if (mime === undefined) return fallback;
  for (const part of mime.split(',')) {
    const type = part.split(';')[0]!.trim();
    if (type.startsWith('text/html')) return fallback;
    const codec = codecOfType(type);
    if (codec !== undefined) return codec;
  }
  return fallback;
}

function codecOfType(type: string): string | undefined {
  const application = /^application\/(.+)$/i.exec(type)?.[1];
  if (application !== undefined) {
    const name = application.includes('@') ? application : `${application.toLowerCase()}@1.0`;
    return CODEC_NAMES.has(name) ? name : undefined;
  }
  const name = /^device\/(.+)$/.exec(type)?.[1] ?? (type.includes('@') ? type : undefined);
  if (name === undefined || CODEC_NAMES.has(name)) return name;
  throw new AoError('unknown-codec', `There is no codec ${JSON.stringify(name.slice(0, 80))}.`, {
    status: 415,
  });
}

/** Asking a unit or a gateway for JSON: what answers with something else is told so, and nobody sends us in a circle. */
import { fromBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { exchange } from '../../device/remote-exchange.ts';
import type { Context, HttpResponse } from '../../resolver/context.ts';

const MAX_REPLY = 64 * 1024 * 1024;

export interface Ask {
  /** `gateway`, `scheduler` …: what it is called in a refusal. */
  readonly who: string;
  readonly body?: unknown;
  readonly timeout?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** URL without the slashes at its end. @throws AoError `bad-url` (400) */
export function unitUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw new AoError('bad-url', `${JSON.stringify(text.slice(0, 200))} is no URL.`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AoError('bad-url', 'Only http and https can be asked.');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/**
 * One exchange, redirects followed where the transport hands them over.
 * @throws AoError `redirect-circle`, `bad-redirect`, `SUBJECT-refused` (502), `not-found` (404), those of the transport
 */
export async function ask(url: string, context: Context, options: Ask): Promise<HttpResponse> {
  const { who, body, timeout, maxBytes = MAX_REPLY, signal } = options;
  const response = await exchange(
    {
      method: body === undefined ? 'GET' : 'POST',
      target: url,
      headers: [
        ['accept', 'application/json'],
        ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
      ],
      body: body === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(body)),
    },
    context,
    {
      who: `${who} at ${hostOf(url)}`,
      maxBytes,
      ...(timeout === undefined ? {} : { timeout }),
      ...(signal ? { signal } : {}),
    },
  );
  if (response.status === 404)
    throw new AoError('not-found', `The ${who} at ${hostOf(url)} does not know what it was asked for.`, {
      status: 404,
      detail: { url },
    });
  if (response.status >= 300)
    throw new AoError(
      `${who.replace(' ', '-')}-refused`,
      `The ${who} at ${hostOf(url)} answered ${response.status}.`,
      {
        status: 502,
        detail: { url, status: response.status, body: fromBytes(response.body.subarray(0, 500)) },
      },
    );
  return response;
}

/** @throws AoError `not-json` (502) and those of `ask` */
export async function askJson(url: string, context: Context, options: Ask): Promise<unknown> {
  return parsedJson(await ask(url, context, options), options.who, url);
}

/** @throws AoError `not-json` (502) */
export function parsedJson({ body }: HttpResponse, who: string, url: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    const html = /^\s*</.test(fromBytes(body.subarray(0, 100)));
    throw new AoError(
      'not-json',
      `The ${who} at ${hostOf(url)} answered with ${html ? 'a page of HTML' : 'something that is no JSON'}.`,
      { status: 502, detail: { url, body: fromBytes(body.subarray(0, 200)) } },
    );
  }
}

export function header(response: HttpResponse, name: string): string | undefined {
  return response.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

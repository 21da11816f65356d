/**
 * The node's HTTP face (resolver.md §7): one request in, one response out, with headers as octets. The Service
 * Worker, the library and the bridge all come through here; `fetch-adapter.ts` is the door for a browser's own types.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { bodyTooLarge, MAX_BODY } from '../protocol/body.ts';
import type { Call, HttpRequest, HttpResponse } from '../resolver/context.ts';
import { exceptionMessage } from '../resolver/hooks.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { isFalse } from '../resolver/options.ts';
import { PATH_LIMITS } from '../resolver/path.ts';
import { serve } from '../resolver/serve.ts';
import type { Settings, TraceStep } from '../resolver/settings.ts';
import { corsHeaders, replyForm, toResponse, type ReplyForm } from './http/reply.ts';
import { toSingleton } from './http/request.ts';
import { DEFAULT_CODEC } from './http/mime.ts';
import { signReply } from './http/sign.ts';

export interface HandleOptions {
  /** Told of every step that is taken. */
  readonly trace?: (step: TraceStep) => void;
  /** Largest body of a request in bytes; default 64 MiB. */
  readonly maxBody?: number;
}

const MAX_HEADERS = 1024;
/** Of a request's key, in characters. */
const MAX_KEY = 128;

/** Answers any request. Never throws: what cannot be answered is a 4xx or 5xx response. */
export async function handle(
  request: HttpRequest,
  context: NodeContext,
  options: HandleOptions = {},
): Promise<HttpResponse> {
  const response = await answer(request, context, options);
  if (request.method !== 'HEAD') return response;
  return { ...response, body: new Uint8Array(0) };
}

async function answer(
  request: HttpRequest,
  context: NodeContext,
  options: HandleOptions,
): Promise<HttpResponse> {
  if (request.method === 'OPTIONS') return preflight();
  if (request.target === '/' || request.target === '') return redirect(context);
  // Where the request itself is no good, how it wants its answer is not known either.
  let form: ReplyForm = { codec: DEFAULT_CODEC, bundle: true };
  try {
    checkLimits(request, options);
    const walker = context.withSettings(settingsOf(request, options));
    const singleton = await toSingleton(request, walker);
    form = replyForm(singleton, Message.empty);
    await keepSigned(singleton, context);
    const served = await serve(singleton, walker);
    form = replyForm(singleton, served.message);
    const signed =
      served.sign && !isFalse(context.option('force-signed')) && !isErrorPage(served.message, form)
        ? await signReply(served.message, form.codec, context)
        : served.message;
    return await toResponse(signed, form, request, context);
  } catch (thrown) {
    return failure(thrown, form, request, context);
  }
}

function settingsOf({ once }: HttpRequest, { trace }: HandleOptions): Partial<Settings> {
  const call = once === undefined ? undefined : newCall(once);
  return { ...(trace ? { trace } : {}), ...(call ? { call } : {}) };
}

function newCall(key: string): Call {
  return { key: key.slice(0, MAX_KEY), taken: new Set(), closed: false, repeated: false };
}

/** Nobody needs a signature on a page that says no. */
function isErrorPage(message: Message, form: ReplyForm): boolean {
  const status = message.get('status');
  return form.codec === DEFAULT_CODEC && !form.bundle && (status === 404n || status === 500n);
}

function checkLimits(request: HttpRequest, { maxBody = MAX_BODY }: HandleOptions): void {
  if (request.target.length > PATH_LIMITS.path)
    throw new AoError('path-too-long', 'The path is too long.', { status: 414 });
  if (request.body.length > maxBody) throw bodyTooLarge(maxBody);
  if (request.headers.length > MAX_HEADERS)
    throw new AoError('too-many-headers', `There are more than ${MAX_HEADERS} headers.`, { status: 431 });
}

/** What somebody signed can be read by its ID from now on, as from the reference (§6.4, stage 10). */
async function keepSigned(singleton: Message, context: NodeContext): Promise<void> {
  if (singleton.has('commitments')) await context.cache.write(singleton);
}

function preflight(): HttpResponse {
  return {
    status: 204,
    headers: [
      ['access-control-allow-origin', '*'],
      ['access-control-allow-headers', '*'],
      ['access-control-allow-methods', 'GET, POST, PUT, DELETE, OPTIONS, PATCH'],
    ],
    body: new Uint8Array(0),
  };
}

function redirect(context: NodeContext): HttpResponse {
  const location = context.option('default-request');
  return {
    status: 302,
    headers: [
      ['location', typeof location === 'string' ? location : '/~hyperbuddy@1.0/dashboard'],
      ['content-length', '0'],
    ],
    body: new Uint8Array(0),
  };
}

async function failure(
  thrown: unknown,
  form: ReplyForm,
  request: HttpRequest,
  context: NodeContext,
): Promise<HttpResponse> {
  const error = AoError.wrap(thrown);
  if (error.code === 'internal')
    context.report({ type: 'request-failed', target: request.target, error: error.message });
  try {
    return await toResponse(exceptionMessage(thrown), form, request, context);
  } catch {
    return { status: 500, headers: corsHeaders(request), body: new Uint8Array(0) };
  }
}

/**
 * From a `Request` that the Service Worker caught to the `Response` it gives.
 */
import { AoError } from '../base/errors.ts';
import { fromFetchRequest, toFetchResponse } from './fetch-adapter.ts';
import { ask } from './service.ts';

/** The document that boots a node and then shows the answer; part of the precached shell. */
const SHELL = '/index.html';

/**
 * Answers an AO path. A navigation that finds no node gets the shell, which boots one and shows the answer;
 * anything else gets a typed refusal with the right status.
 */
export async function answerAoPath(clients: Clients, request: Request, event: FetchEvent): Promise<Response> {
  try {
    // The window that navigates does not exist yet: only others can run the node.
    const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
    const others = windows.filter(({ id }) => id !== event.resultingClientId);
    if (request.mode === 'navigate' && others.length === 0) return await shell(request);
    const { method, target, headers, body } = await fromFetchRequest(request);
    const answer = await ask(clients, { method, target, headers: headers.map(([n, v]) => [n, v]), body });
    return toFetchResponse(answer, { method });
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    if (request.mode === 'navigate' && error.code === 'no-node') return shell(request);
    return Response.json(error.toJSON(), { status: error.status });
  }
}

/** The app's document under the AO path that was asked for, so that reloading asks again. */
async function shell(request: Request): Promise<Response> {
  const cached = await caches.match(SHELL, { ignoreSearch: true });
  return cached ?? fetch(new URL(SHELL, new URL(request.url).origin));
}

/**
 * Takes network, storage and further workers away from a process worker once its code is loaded. Programs have
 * no way to reach them anyway; this is the second wall, for the day when the first one has a hole.
 */
const DOORS = [
  'fetch',
  'fetchLater',
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'WebTransport',
  'EventSource',
  'indexedDB',
  'caches',
  'cookieStore',
  'importScripts',
  'Worker',
  'SharedWorker',
  'BroadcastChannel',
  'RTCPeerConnection',
  'Notification',
  'Request',
  'navigator',
  'queryLocalFonts',
  'showOpenFilePicker',
];

/** Names that could not be taken away (none, in the browsers that are tested). */
export function sealWorker(scope: object = globalThis): string[] {
  const left: string[] = [];
  for (const name of DOORS) {
    // A global may be an own property or come from a prototype; it must be gone from both.
    for (let at: object | null = scope; at; at = Object.getPrototypeOf(at) as object | null)
      if (Object.hasOwn(at, name)) Reflect.deleteProperty(at, name);
    if (!(name in scope)) continue;
    const done = Reflect.defineProperty(scope, name, {
      value: undefined,
      writable: false,
      configurable: false,
    });
    if (!done && (scope as Record<string, unknown>)[name] !== undefined) left.push(name);
  }
  return left;
}

/// <reference lib="webworker" />
/** The HTTP face and the offline shell: precaches the app, answers AO paths from the node. */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { CacheFirst, NetworkFirst } from 'workbox-strategies';
import { isAoPath, isAoRequest } from '../src/base/ao-path.ts';
import { connectTo, watchLeaders } from '../src/node/service.ts';
import { answerAoPath } from '../src/node/service-face.ts';

declare const self: ServiceWorkerGlobalScope;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

registerRoute(
  ({ url, sameOrigin }) => sameOrigin && isAoPath(url.pathname),
  ({ event, request }) => answerAoPath(self.clients, request, event as FetchEvent),
);
for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const)
  registerRoute(
    ({ url, sameOrigin, request }) => sameOrigin && isAoRequest(url.pathname, method, request.headers),
    ({ event, request }) => answerAoPath(self.clients, request, event as FetchEvent),
    method,
  );

// Downloaded modules are not part of the app: kept once they were read, so that they are there offline.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith('/modules/'),
  new NetworkFirst({ cacheName: 'modules' }),
);

// What signing needs is large and rarely needed: kept once it was, so that wallets sign offline, too.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && /^\/assets\/arbundles-[^/]+\.js$/.test(url.pathname),
  new CacheFirst({ cacheName: 'signing' }),
);

// In development the precache manifest is empty and the dev server answers navigations.
if (import.meta.env.PROD)
  registerRoute(
    new NavigationRoute(createHandlerBoundToURL('index.html'), {
      denylist: [/^\/(?:~|\(|modules\/|[A-Za-z0-9_-]{43})/],
    }),
  );

watchLeaders();
self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => {
  const port = event.ports[0];
  if (event.data?.type === 'beamlet:connect' && port)
    event.waitUntil(connectTo(self.clients, port, event.data.database));
});

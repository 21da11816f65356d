/** Small texts in headers: cookies, cache directives, URLs, addresses of peers. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { parseCookies, setCookieLines } from '../../../src/node/http/cookies.ts';
import { codecOf } from '../../../src/node/http/mime.ts';
import { targetOf } from '../../../src/node/fetch-adapter.ts';
import { cacheSettings } from '../../../src/resolver/cache-control.ts';
import { Message } from '../../../src/message/message.ts';
import { parseTarget } from '../../../src/verify/peer.ts';
import { attemptAll } from '../attempt.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['=', '; ', '"', ',', 'https://', '//', '?', '#', '/~', 'application/', '@1.0'],
  seeds: () =>
    few([
      'a=1; b="2"; c',
      'no-cache, no-store, only-if-cached',
      'https://host:8734/qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk~process@1.0/compute?slot=1#x',
      'application/json; charset=utf-8',
      'device/json@1.0',
    ]),
  run(input) {
    const text = fromBytes(input);
    attemptAll(
      () => setCookieLines(parseCookies(text)),
      () => codecOf(text),
      () => targetOf(text),
      () => cacheSettings({ request: Message.from([['cache-control', text]]) }),
      () => parseTarget(text),
    );
  },
});

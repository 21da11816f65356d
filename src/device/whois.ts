/** `whois@1.0` (resolver.md §9.0): who asks, and where this node can be reached. */
import { Message } from '../message/message.ts';
import { error, type Device } from '../resolver/device.ts';
import { readKey, textOf } from './values.ts';

export const whois: Device = {
  name: 'whois@1.0',
  keys: {
    echo: async (base, request, context) =>
      (await readKey(request, 'ao-peer', context)) ?? (await readKey(base, 'ao-peer', context)) ?? 'unknown',
    node: async (_base, _request, context) => {
      const host = textOf(context.option('host'));
      if (host !== undefined) return host;
      const bootstrap = textOf(context.option('host-bootstrap-node'));
      if (bootstrap === undefined) return error('No bootstrap node configured.');
      const target = `${bootstrap.replace(/\/$/, '')}/~whois@1.0/echo`;
      const answer = await context.http.request({
        method: 'GET',
        target,
        headers: [],
        body: new Uint8Array(),
      });
      if (answer.status >= 300)
        return error(Message.of({ status: 502n, body: `The bootstrap node answered ${answer.status}.` }));
      return new TextDecoder().decode(answer.body);
    },
  },
};

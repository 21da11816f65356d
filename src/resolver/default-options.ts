/** Built-in options of a node (resolver.md §8): what clients and devices may rely on when the operator says nothing. */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';

const free = (template: string): Message => Message.of({ template });

/** Requests that a node that takes payment answers for nothing (resolver.md §9.10). */
const NON_CHARGEABLE: readonly Value[] = ['/~p4@1.0/balance', '/~p4@1.0/topup', '/~meta@1.0/*'].map(free);

/** Keys in the request that ask the node to sign it for the caller (resolver.md §7.8). */
const AUTH_HOOK = Message.of({
  device: 'auth-hook@1.0',
  path: 'request',
  when: { keys: ['authorization', '!'] },
  'secret-provider': { device: 'http-auth@1.0', 'access-control': { device: 'http-auth@1.0' } },
});

export const DEFAULT_OPTIONS: readonly (readonly [string, Value])[] = [
  ['initialized', Atom.true],
  ['mode', Atom.of('debug')],
  ['compute_mode', Atom.of('lazy')],
  ['scheduling_mode', Atom.of('local_confirmation')],
  ['store_all_signed', Atom.true],
  ['wasm_allow_aot', Atom.false],
  ['access_remote_cache_for_client', Atom.false],
  ['force_signed', Atom.true],
  ['force_signed_requests', Atom.false],
  ['cache_control', ['no-cache', 'no-store']],
  ['http_extra_opts', Message.of({ force_message: true, cache_control: ['always'] })],
  ['default_request', '/~hyperbuddy@1.0/dashboard'],
  ['default_index', Message.of({ device: 'hyperbuddy@1.0' })],
  ['default_index_path', 'index'],
  ['generate_index', Atom.true],
  ['default_codec', 'httpsig@1.0'],
  ['commitment_device', 'httpsig@1.0'],
  ['await_inprogress', Atom.of('named')],
  ['allow_infinite', Atom.false],
  ['error_strategy', Atom.of('throw')],
  ['load_remote_devices', Atom.false],
  ['trusted_device_signers', []],
  ['routes', []],
  ['name_resolvers', []],
  ['local_names', Message.empty],
  ['node_history', []],
  ['relay_allow_commit_request', Atom.false],
  ['router_preprocess_default', 'local'],
  ['p4_non_chargable_routes', NON_CHARGEABLE],
  ['simple_pay_price', 1n],
  ['simple_pay_ledger', Message.empty],
  ['faff_allow_list', []],
  ['auth_hook_commit_key', '!'],
  ['process_now_from_cache', Atom.false],
  ['process_workers', Atom.false],
  ['bundler_ans104', 'https://up.arweave.net:443'],
  ['gateway', 'https://arweave.net'],
  ['store_scope_resolved', Atom.of('local')],
  ['short_trace_len', 20n],
  ['on', Message.of({ request: AUTH_HOOK })],
];

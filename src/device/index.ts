/** Every device that the node has from the start; one line each. */
import type { Device } from '../resolver/device.ts';
import { ans104 } from './ans104.ts';
import { apply } from './apply.ts';
import { authHook } from './auth-hook.ts';
import { cache } from './cache.ts';
import { cron } from './cron.ts';
import { dedup } from './dedup.ts';
import { delegatedCompute } from './delegated-compute.ts';
import { faff } from './faff.ts';
import { flat } from './flat.ts';
import { genesisWasm } from './genesis-wasm.ts';
import { hook } from './hook.ts';
import { httpAuth } from './http-auth.ts';
import { httpsig } from './httpsig.ts';
import { hyperbuddy } from './hyperbuddy.ts';
import { jsonIface } from './json-iface.ts';
import { json } from './json.ts';
import { localName } from './local-name.ts';
import { lookup } from './lookup.ts';
import { manifest } from './manifest.ts';
import { lua } from './lua.ts';
import { message } from './message.ts';
import { meta } from './meta.ts';
import { monitor } from './monitor.ts';
import { multipass } from './multipass.ts';
import { name } from './name.ts';
import { p4 } from './p4.ts';
import { patch } from './patch.ts';
import { process } from './process.ts';
import { profile } from './profile.ts';
import { pushDevice } from './push.ts';
import { query } from './query.ts';
import { relayDevice } from './relay.ts';
import { router } from './router.ts';
import { scheduler } from './scheduler.ts';
import { simplePay } from './simple-pay.ts';
import { stack } from './stack.ts';
import { structured } from './structured.ts';
import { testDevice } from './test-device.ts';
import { unavailableDevices } from './unavailable.ts';
import { wasi } from './wasi.ts';
import { wasm64, wasm64Alias } from './wasm-64.ts';
import { whois } from './whois.ts';

export const builtInDevices: readonly Device[] = [
  ans104,
  apply,
  authHook,
  cache,
  cron,
  dedup,
  delegatedCompute,
  faff,
  flat,
  genesisWasm,
  hook,
  httpAuth,
  httpsig,
  hyperbuddy,
  json,
  jsonIface,
  localName,
  lookup,
  lua,
  manifest,
  message,
  meta,
  monitor,
  multipass,
  name,
  p4,
  patch,
  process,
  profile,
  pushDevice,
  query,
  relayDevice,
  router,
  scheduler,
  simplePay,
  stack,
  structured,
  testDevice,
  ...unavailableDevices,
  wasi,
  wasm64,
  wasm64Alias,
  whois,
];

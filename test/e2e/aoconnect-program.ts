/**
 * What the tests of `@permaweb/aoconnect` run: the same program in a page and in Node, against this node and against
 * others. It answers what it saw, step by step; who runs it says what that must be.
 *
 * Both functions stand alone: a page is handed their source.
 */

/** Tags of the aos module's item. */
export const MODULE_TAGS = Object.entries({
  'Data-Protocol': 'ao',
  Variant: 'ao.TN.1',
  Type: 'Module',
  'Module-Format': 'wasm64-unknown-emscripten-draft_2024_02_15',
  'Input-Encoding': 'JSON-1',
  'Output-Encoding': 'JSON-1',
  'Memory-Limit': '1-gb',
  'Compute-Limit': '9000000000000',
  'Content-Type': 'application/wasm',
}).map(([name, value]) => ({ name, value }));

/** The client as the program uses it; what it answers is for the caller to judge. */
export type Client = Record<string, (given: Record<string, unknown>) => Promise<never>>;

export interface Setting {
  /** ID of an aos module that the gateway knows. */
  readonly module: string;
  /** Addresses of the scheduler and of whoever pushes. */
  readonly scheduler: string;
  readonly authority: string;
  /** The signer's own address. */
  readonly owner: string;
  /** The client's browser build: it refuses every item that it checks, its own too, and cannot sign over HTTP. */
  readonly browserBuild: boolean;
  /** Milliseconds that what is pushed may take to arrive. */
  readonly patience: number;
  /** Steps that wait for what never comes there: asked once. */
  readonly hopeless?: readonly string[];
}

/** What a step answered; the sentence of its error where it was refused. */
export type Seen = Record<string, unknown>;

interface Result {
  readonly Output: { readonly data: string };
  readonly Messages: readonly unknown[];
  readonly Error?: unknown;
}

/** Everything that aoconnect has in legacy mode. */
export async function legacyProgram(ao: Client, signer: unknown, setting: Setting): Promise<Seen> {
  const { module, scheduler, authority, owner, browserBuild, patience, hopeless = [] } = setting;
  const seen: Seen = {};
  const tags = (record: Record<string, string>) =>
    Object.entries(record).map(([name, value]) => ({ name, value }));
  const nobody = 'A'.repeat(43);
  const see = async (step: string, asked: Promise<unknown>): Promise<unknown> => {
    try {
      return (seen[step] = await asked);
    } catch (thrown) {
      seen[step] = { refused: thrown instanceof Error ? thrown.message : String(thrown) };
      return undefined;
    }
  };
  const spawn = (step: string) =>
    see(
      step,
      ao.spawn!({
        module,
        scheduler,
        signer,
        tags: tags({ Name: step, Authority: authority }),
        data: 'return 1',
      }),
    ) as Promise<string>;
  const say = async (step: string, process: string, data: string) => {
    const message = await ao.message!({ process, signer, tags: tags({ Action: 'Eval' }), data });
    seen[`${step}: id`] = message;
    return see(step, ao.result!({ process, message })) as Promise<Result | undefined>;
  };
  const dry = (process: string, data: string): Promise<Result> =>
    ao.dryrun!({ process, Owner: owner, tags: tags({ Action: 'Eval' }), data });
  /** Asks until a dry run answers this: what is pushed arrives when it arrives. */
  const until = async (step: string, process: string, data: string, wanted: RegExp) => {
    const end = hopeless.includes(step) ? 0 : Date.now() + patience;
    for (;;) {
      const said = (await dry(process, data)).Output?.data;
      seen[step] = said;
      if (wanted.test(String(said)) || Date.now() >= end) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };

  const one = await spawn('one');
  const two = await spawn('two');
  if (!one || !two) return seen;
  await say('count', one, 'Count = (Count or 0) + 1; return Count');
  await say('error', one, 'Count = 50; error("boom")');
  await say('print', one, 'print("said"); return Count');
  await see(
    'message without data',
    ao.message!({ process: one, signer, tags: tags({ Action: 'Nothing-Handles-This' }) }),
  );

  await see('dryrun', dry(one, 'Count = 99; return Count'));
  await see('dryrun again', dry(one, 'return Count'));
  await see('dryrun with an error', dry(one, 'error("dry boom")'));
  await see('dryrun by its defaults', ao.dryrun!({ process: one }));
  await say('after dryruns', one, 'return Count');

  // From one process to the other and back, and a spawn that the parent is told of.
  const answer = `Handlers.add('ping', 'Ping', function (m) m.reply({ Action = 'Pong', Data = 'got ' .. m.Data }) end)`;
  await say('handler', two, answer);
  await say('pong', one, `Handlers.add('pong', 'Pong', function (m) Got = m.Data end)`);
  await say('send', one, `Send({ Target = '${two}', Action = 'Ping', Data = 'hello', Custom = 'tag' })`);
  await until('answered', one, 'return tostring(Got)', /^got hello$/);
  await say('born', one, `Handlers.add('born', 'Spawned', function (m) Child = m.Process end)`);
  await say('spawn from within', one, `Spawn('${module}', { Tags = { Authority = '${authority}' } })`);
  await until('spawned', one, 'return tostring(Child)', /^[\w-]{43}$/);

  const page = (await see('results', ao.results!({ process: one, limit: 2 }))) as {
    edges: { cursor: string }[];
  };
  await see('results from', ao.results!({ process: one, limit: 1, from: page.edges[1]!.cursor }));
  await see(
    'results to',
    ao.results!({ process: one, from: page.edges[0]!.cursor, to: page.edges[1]!.cursor }),
  );
  await see('results newest first', ao.results!({ process: one, limit: 2, sort: 'DESC' }));

  await see('assign', ao.assign!({ process: two, message: seen['count: id'] }));
  await see('monitor', ao.monitor!({ process: one, signer }));
  await see('unmonitor', ao.unmonitor!({ process: one, signer }));

  const text = 'Twice = (Twice or 0) + 1; return "sent " .. Twice';
  const signed = await ao.signMessage!({ process: one, signer, tags: tags({ Action: 'Eval' }), data: text });
  if (!browserBuild) {
    await see('sent signed', ao.sendSignedMessage!(signed));
    await see('its result', ao.result!({ process: one, message: (signed as { id: string }).id }));
    await see('sent signed again', ao.sendSignedMessage!(signed));
    await see('its result again', ao.result!({ process: one, message: (signed as { id: string }).id }));
    await see('dryrun after both', dry(one, 'return Twice'));
  }

  await see('result of no message', ao.result!({ process: one, message: nobody }));
  await see('result of no process', ao.result!({ process: nobody, message: nobody }));
  await see('results of no process', ao.results!({ process: nobody }));
  await see('dryrun of no process', dry(nobody, 'return 1'));
  await see('message to no process', ao.message!({ process: nobody, signer, data: 'x' }));
  await see('assign of no message', ao.assign!({ process: two, message: nobody }));
  return seen;
}

/** What aoconnect has in mainnet mode. `reader` is one without a signer. */
export async function mainnetProgram(ao: Client, reader: Client, setting: Setting): Promise<Seen> {
  const { module, browserBuild } = setting;
  const seen: Seen = {};
  const EVAL = [{ name: 'Action', value: 'Eval' }];
  const name = [{ name: 'Name', value: 'mainnet' }];
  const process = (seen['spawn'] = (await ao.spawn!({ module, tags: name })) as string);
  const data = 'Count = (Count or 0) + 1; return Count';
  seen['message'] = await ao.message!({ process, tags: EVAL, data });
  seen['message again'] = await ao.message!({ process, tags: EVAL, data });
  seen['result'] = await ao.result!({ process, message: 1 });
  seen['result by slot'] = await ao.result!({ process, slot: 2 });
  seen['results'] = await ao.results!({ process });
  const dry = { process, tags: EVAL };
  seen['dryrun'] = await ao.dryrun!({ ...dry, data: 'Count = 99; return Count' });
  seen['dryrun again'] = await ao.dryrun!({ ...dry, data: 'return Count' });
  const ask = async (client: Client, format: string) => {
    const path = `/${process}~process@1.0/slot/current`;
    const response = await client.request!({ path, method: 'GET', 'signing-format': format });
    return [(response as Response).status, await (response as Response).text()];
  };
  seen['request with ans104'] = await ask(ao, 'ans104');
  if (!browserBuild) seen['request with httpsig'] = await ask(ao, 'httpsig');
  seen['request without a signature'] = await ask(reader, 'httpsig');
  return seen;
}

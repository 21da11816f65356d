/** What the programs of `aoconnect-program.ts` must see, wherever they run. */
import { expect } from '@playwright/test';
import type { Seen } from './aoconnect-program.ts';

const ID = /^[\w-]{43}$/;
/** The result of an evaluation that sends nothing and answers this. */
const answers = (data: string) => ({
  Output: expect.objectContaining({ data }) as unknown,
  Messages: [],
  Spawns: [],
  Assignments: [],
});
const fails = (why: string) => ({
  Error: expect.stringContaining(why) as unknown,
  Messages: [],
  Spawns: [],
  Assignments: [],
});
const refused = (why: RegExp) => ({ refused: expect.stringMatching(why) as unknown });
const edge = (data: string) => ({
  cursor: expect.any(String) as unknown,
  node: expect.objectContaining({ Output: expect.objectContaining({ data }) as unknown }) as unknown,
});

export function checkLegacy(seen: Seen, browserBuild: boolean): void {
  for (const step of ['one', 'two', 'message without data', 'monitor', 'unmonitor', 'assign'])
    expect(seen[step], step).toMatch(ID);
  expect(seen['assign']).toBe(seen['count: id']);
  expect(seen).toMatchObject({
    count: answers('1'),
    // An evaluation that fails leaves the process as it was.
    error: fails('boom'),
    print: answers('said\n1'),
    dryrun: answers('99'),
    'dryrun again': answers('1'),
    'dryrun with an error': fails('dry boom'),
    'dryrun by its defaults': { Messages: [], Spawns: [], Assignments: [] },
    'after dryruns': answers('1'),
    handler: answers('3'),
    answered: 'got hello',
    spawned: expect.stringMatching(ID),
    // The process message prints nothing; what fails is not among the results.
    results: { edges: [edge(''), edge('1')] },
    'results from': { edges: [edge('said\n1')] },
    'results to': { edges: [edge('1')] },
  });
  const sent = seen['send'] as { Messages: { Target: string; Tags: { name: string; value: string }[] }[] };
  expect(sent.Messages).toHaveLength(1);
  expect(sent.Messages[0]).toMatchObject({
    Target: seen['two'],
    Data: 'hello',
    Anchor: expect.stringMatching(/^0{31}\d$/),
  });
  expect(sent.Messages[0]!.Tags).toContainEqual({ name: 'Custom', value: 'tag' });
  const spawned = seen['spawn from within'] as { Spawns: unknown[] };
  expect(spawned.Spawns).toHaveLength(1);
  expect((seen['results newest first'] as { edges: unknown[] }).edges).toHaveLength(2);
  if (!browserBuild)
    // The second time it is the same message: it keeps its slot, and is not run again.
    expect(seen).toMatchObject({
      'its result': answers('sent 1'),
      'its result again': answers('sent 1'),
      'dryrun after both': answers('1'),
    });
  // The client hands a refusal of the compute unit on as if it were a result.
  for (const step of ['result of no message', 'result of no process', 'dryrun of no process'])
    expect(seen[step], step).toMatchObject({ error: expect.any(String) });
  expect(seen).toMatchObject({
    'results of no process': refused(/edges/),
    'message to no process': refused(/^404/),
    'assign of no message': refused(/^404/),
  });
}

export function checkMainnet(seen: Seen, browserBuild: boolean): void {
  expect(seen['spawn']).toMatch(ID);
  expect(seen).toMatchObject({
    message: 1,
    'message again': 2,
    result: answers('1'),
    'result by slot': answers('2'),
    results: { edges: [{ cursor: '2', node: answers('2') }] },
    dryrun: answers('99'),
    'dryrun again': answers('2'),
    'request with ans104': [200, '2'],
    'request without a signature': [200, '2'],
  });
  if (!browserBuild) expect(seen['request with httpsig']).toEqual([200, '2']);
}

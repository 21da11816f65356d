/**
 * The layer rule of ARCHITECTURE.md: a room may import only rooms on lower floors.
 * Each room becomes one ESLint block that forbids importing any room on its own floor or above.
 */
export const floors = [
  ['base'],
  ['message', 'crypto', 'engine', 'protocol'],
  ['attestation', 'codec'],
  ['commitment', 'store'],
  ['resolver', 'wallet'],
  ['device'],
  ['verify'],
  ['node'],
  ['client'],
  ['app', 'command'],
];

/** Rooms that may import fewer rooms than their floor would allow. */
const only = {
  // What a page imports: the wire types, wallets, and nothing of the node's insides.
  client: ['base', 'protocol', 'wallet', 'client'],
  app: ['app', 'client'],
};

/** Packages that pure protocol rooms must not reach for: storage and worker plumbing come in from above. */
const platform = ['idb', 'comlink', 'svelte', 'workbox-*'];
const pure = [
  'base',
  'message',
  'crypto',
  'attestation',
  'codec',
  'commitment',
  'resolver',
  'device',
  'verify',
];

const all = floors.flat();

export const layerRules = floors.flatMap((rooms, floor) =>
  rooms.map((room) => {
    const allowed = only[room] ?? [...floors.slice(0, floor).flat(), room];
    const forbidden = all.filter((other) => !allowed.includes(other));
    return {
      files: [`src/${room}/**/*.{ts,svelte}`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: [...forbidden.map((other) => `**/${other}/**`), '**/workers/**'],
                message: `src/${room} may import only: ${allowed.join(', ')} (ARCHITECTURE.md, layers).`,
              },
              ...(pure.includes(room)
                ? [
                    {
                      group: platform,
                      message: `src/${room} is pure protocol code: no platform package here.`,
                    },
                  ]
                : []),
            ],
          },
        ],
      },
    };
  }),
);

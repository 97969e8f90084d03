import type { DefinitionStore } from '../../engine/definition.ts';
import type { Reads } from '../../engine/ports.ts';

/** An installation as it begins, without a database: to plan blueprints on, for nothing can be applied to it. */
export const nothingDefined: DefinitionStore = {
  all: async () => ({ revision: 0, definitions: [] }),
  apply: async () => 'lost',
  flow: async () => null,
  currentVersions: async () => ({}),
  openRuns: async () => ({}),
  keptVersions: async () => [],
};

/** The accounts of such an installation. A plan asks for nothing but these three. */
export const nobody = {
  user: async () => null,
  userByUsername: async () => null,
  groups: async (references: readonly string[]) => references.map(() => null),
} satisfies Pick<Reads, 'user' | 'userByUsername' | 'groups'> as unknown as Reads;

import type { Tools } from './ports.ts';
import type { Visitor } from './visitor.ts';

/** The tools at the desk of a visitor: no stage hashes a password that its client has no budget for. */
export function limitedTools(tools: Tools, visitor: Visitor): Tools {
  const { limits } = tools;
  return {
    ...tools,
    async hashPassword(password) {
      limits.spend('passwords', visitor);
      return tools.hashPassword(password);
    },
    async verifyPassword(userId, password, identifier) {
      limits.spend('passwords', visitor);
      return tools.verifyPassword(userId, password, identifier);
    },
  };
}

import type { OutboundReply, OutboundRequest } from './outbound.ts';

/** The other servers that expressions may ask: those that the administrator names. An adapter answers. */
export interface ExpressionHosts {
  /** @throws Error for a server that is not allowed, one at a private address, or no whole reply in time */
  send(url: string, request: Omit<OutboundRequest, 'timeoutMs'>): Promise<OutboundReply>;
  /** Addresses of an allowed name. @throws Error */
  resolve(name: string): Promise<readonly string[]>;
  /** The name of an address, or the address itself. @throws Error where no server is allowed at all */
  reverse(address: string): Promise<string>;
}

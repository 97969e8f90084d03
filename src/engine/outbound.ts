/** A question to another server. */
export interface OutboundRequest {
  /** GET by default. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for all of it, redirects and the reply's text included. */
  readonly timeoutMs: number;
}

/** What the other server said; its text is at most a mebibyte. */
export interface OutboundReply {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** HTTP to the outside; an adapter answers. */
export interface Outbound {
  /**
   * Follows redirects of the same origin only; one to elsewhere is the reply.
   *
   * @throws Error when there is no whole reply in time: not reachable, too slow, too long. It does not name the path
   * or the query, which may hold what nobody else shall see
   */
  send(url: string, request: OutboundRequest): Promise<OutboundReply>;
}

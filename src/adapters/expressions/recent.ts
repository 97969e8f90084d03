/** What was made lately, by key: a bounded cache that forgets what was not asked for the longest. */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, make: () => Value): Value {
    const value = this.#values.has(key) ? (this.#values.get(key) as Value) : make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) for (const oldest of this.#values.keys()) return this.#forget(oldest, value);
    return value;
  }

  #forget(key: string, value: Value): Value {
    this.#values.delete(key);
    return value;
  }
}

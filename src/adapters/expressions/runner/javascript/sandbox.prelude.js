// A module of the sandbox's own, evaluated before each expression: the helpers, and the way of values in and out. It
// holds what it needs of the language, since the expression may change that.

const { parse, stringify } = JSON;
const { isArray } = Array;
const { entries, hasOwn, defineProperty, create } = Object;
const [deepest, most] = [100, 100_000];
const types = new WeakMap();
const typeOf = WeakMap.prototype.get.bind(types);
const prototypes = new Map();
const waiting = new Map();
const messages = [];
const outside = {};
let lastCall = 0;

// Methods of the server's objects, all types alike: it says for each type which of them there are.
const methods = [
  ...['all', 'filter', 'exclude', 'get', 'first', 'last', 'exists', 'count', 'values_list', 'order_by', 'update'],
  ...['has_usable_password', 'group_attributes', 'all_groups', 'app_entitlements', 'locale', 'get_user_path'],
  ...['build_absolute_uri', 'json', 'raise_for_status'],
];
const ofServer = [
  ...['ak_user_by', 'ak_is_group_member', 'ak_call_policy', 'ak_create_event', 'ak_user_has_authenticator'],
  ...['ak_create_jwt', 'resolve_dns', 'reverse_dns'],
];
const levels = ['debug', 'info', 'warning', 'error', 'critical', 'exception'];

function set(object, name, value, enumerable = true) {
  return defineProperty(object, name, { value, enumerable, writable: true, configurable: true });
}

function prototypeOf(type) {
  if (prototypes.has(type)) return prototypes.get(type);
  const prototype = create(Object.prototype);
  const method = (name, body) => set(prototype, name, body, false);
  if (isOfAddresses(type)) {
    method('toString', function () {
      return this.compressed;
    });
    method('contains', function (address) {
      return contains(this, address);
    });
  } else
    for (const name of methods)
      method(name, function (...args) {
        return ask(`${type}.${name}`, [this, ...args]);
      });
  prototypes.set(type, prototype);
  return prototype;
}

function isOfAddresses(type) {
  return type?.startsWith('IPv') === true;
}

function contains(network, address) {
  const [first] = network.order.split('/');
  return network.version === address.version && first <= address.order && address.order <= network.last;
}

/** JSON as the code has it: `$object` makes an object with methods. */
function revived(value) {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(revived);
  const type = hasOwn(value, '$object') ? value.$object : undefined;
  const isObject = typeof type === 'string';
  const made = isObject ? create(prototypeOf(type)) : {};
  if (isObject) types.set(made, type);
  for (const [name, item] of entries(value)) {
    if (isObject && name === '$object') continue;
    const hidden = isOfAddresses(type) && (name === 'order' || name === 'last');
    set(made, !isObject && /^\$\$+object$/.test(name) ? name.slice(1) : name, revived(item), !hidden);
  }
  return made;
}

/** What the code has, as JSON; `$object` is ours alone. */
function plain(value) {
  let count = 0;
  const walk = (item, depth) => {
    count += 1;
    if (depth > deepest || count > most) throw new RangeError('a value is too large or too deep to be passed on');
    if (item === null || item === undefined) return null;
    if (typeof item === 'boolean' || typeof item === 'string') return item;
    if (typeof item === 'number') return Number.isFinite(item) ? item : null;
    if (typeof item === 'bigint') return Number(item);
    if (typeof item !== 'object') throw new TypeError(`a ${typeof item} cannot be passed on as JSON`);
    if (item instanceof Date) return item.toJSON();
    if (isArray(item) || item instanceof Set) return [...item].map((one) => walk(one, depth + 1));
    const type = typeOf(item);
    return isOfAddresses(type) ? item.compressed : plainObject(item, type, (one) => walk(one, depth + 1));
  };
  return walk(value, 0);
}

function plainObject(object, type, walk) {
  const made = {};
  if (type !== undefined) set(made, '$object', type);
  // All share one context, which comes back for itself.
  const shared = type === 'request' || type === 'flow_plan';
  for (const [name, item] of object instanceof Map ? object : entries(object)) {
    if (item === undefined || typeof item === 'function' || (shared && name === 'context')) continue;
    const key = String(name);
    set(made, type === undefined && /^\$+object$/.test(key) ? `$${key}` : key, walk(item));
  }
  return made;
}

/** Asks the server. The last argument, if it is a plain object, has the arguments that have names. */
function ask(name, args) {
  return new Promise((resolve, reject) => {
    const last = args.at(-1);
    const isNamed =
      last !== null &&
      typeof last === 'object' &&
      !isArray(last) &&
      !(last instanceof Date) &&
      typeOf(last) === undefined;
    const text = stringify([plain(isNamed ? args.slice(0, -1) : args), plain(isNamed ? last : {})]);
    lastCall += 1;
    waiting.set(lastCall, { resolve, reject });
    outside.call(lastCall, name, text);
  });
}

function askHere(name, args) {
  const { value, problem } = parse(outside.local(name, stringify(plain(args))));
  if (problem !== undefined) throw new TypeError(problem);
  return revived(value);
}

function told(error) {
  // Where not even an error fits in.
  if (error === null) return outside.fail('InternalError', 'out of memory', '');
  const isError = error instanceof Error;
  const [name, message, stack] = isError ? [error.name, error.message, error.stack] : ['Error', '', ''];
  return outside.fail(String(name), String(message), String(stack));
}

const helpers = {
  ak_message: (text) => void messages.push(String(text)),
  regex_match: (value, regex) => new RegExp(regex, 'u').test(value),
  regex_replace: (value, regex, replacement) => String(value).replace(new RegExp(regex, 'gu'), replacement),
  list_flatten: (value) => (isArray(value) ? (value[0] ?? null) : value),
  ak_logger: {},
  requests: {},
};
for (const name of ['slugify', 'ip_address', 'ip_network']) helpers[name] = (...args) => askHere(name, args);
for (const name of ofServer) helpers[name] = (...args) => ask(name, args);
for (const level of levels) helpers.ak_logger[level] = (...args) => ask('ak_logger', [level, ...args]);
for (const method of ['get', 'post']) helpers.requests[method] = (...args) => ask(`requests.${method}`, args);
for (const [name, value] of entries(helpers)) set(globalThis, name, value, false);

export function connect(call, local, finish, fail) {
  Object.assign(outside, { call, local, finish, fail });
}

export function begin(code, text, returned) {
  const given = revived(parse(text));
  if (typeof given.ak_client_ip === 'string') given.ak_client_ip = helpers.ip_address(given.ak_client_ip);
  for (const holder of [given.request, given.flow_plan, given.context?.flow_plan])
    if (typeOf(holder) === 'request' || typeOf(holder) === 'flow_plan') set(holder, 'context', given.context);
  // A name and the member of the context that has it are one and the same.
  for (const name of parse(returned))
    if (name !== 'context' && given.context !== undefined && hasOwn(given.context, name))
      given[name] = given.context[name];
  const values = entries(given).map(([, value]) => value);
  const end = (result) =>
    outside.finish(stringify([plain(result), messages, parse(returned).map((name) => plain(given[name]))]));
  code(...values)
    .then(end)
    .catch(told);
}

export function settle(id, text, problem) {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (problem === undefined) return resolve(revived(parse(text)));
  const { type, message } = parse(problem);
  const error = new Error(message);
  error.name = type;
  return reject(error);
}

import { connect } from 'node:net';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {readonly string[]} cookies name=value of every Set-Cookie
 * @property {string} body
 */

/**
 * One keep-alive HTTP/1.1 connection, one request at a time. It shares its cores with the server that it measures, so it
 * knows only what the servers here send: a Content-Length or chunks.
 */
export class Connection {
  #port;
  /** @type {import('node:net').Socket | null} */
  #socket = null;
  #received = '';
  /** @type {{ resolve(answer: Answer): void, reject(error: Error): void } | null} */
  #waiting = null;
  /** Answers received. */
  answers = 0;

  /** @param {number} port on 127.0.0.1 */
  constructor(port) {
    this.#port = port;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {{ cookie?: string, json?: unknown }} [content]
   * @returns {Promise<Answer>}
   */
  request(method, path, { cookie, json } = {}) {
    const host = `127.0.0.1:${this.#port}`;
    const body = json === undefined ? '' : JSON.stringify(json);
    const head = [
      `${method} ${path} HTTP/1.1`,
      `host: ${host}`,
      'accept: application/json',
      'user-agent: Mozilla/5.0 (bench)',
      ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
      ...(json === undefined
        ? []
        : [`origin: http://${host}`, 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
    ];
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket ??= this.#open();
      this.#socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    });
  }

  close() {
    this.#socket?.destroy();
  }

  #open() {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#receive(String(text)));
    socket.on('error', (error) => this.#lost(socket, error));
    socket.on('close', () => this.#lost(socket, new Error('the server closed the connection')));
    return socket;
  }

  /** @param {string} text */
  #receive(text) {
    this.#received += text;
    const answer = parse(this.#received);
    if (answer === null) return;
    this.#received = '';
    this.answers += 1;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {Error} error
   */
  #lost(socket, error) {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#received = '';
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

/**
 * @param {string} text
 * @returns {Answer | null} null while some of it is still under way
 */
function parse(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = text.slice(0, end);
  const body = bodyOf(head, text, end + 4);
  if (body === null) return null;
  const cookies = [...head.matchAll(/\r\nset-cookie: *([^;\r]+)/gi)].map(([, cookie = '']) => cookie);
  return { status: Number(head.slice(9, 12)), cookies, body };
}

/**
 * @param {string} head
 * @param {string} text
 * @param {number} start
 */
function bodyOf(head, text, start) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length !== null) {
    const end = start + Number(length[1]);
    return text.length < end ? null : text.slice(start, end);
  }
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? chunksOf(text, start) : '';
}

/**
 * @param {string} text
 * @param {number} start
 */
function chunksOf(text, start) {
  let body = '';
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line === -1) return null;
    const size = Number.parseInt(text.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (text.length < next) return null;
    if (size === 0) return body;
    body += text.slice(line + 2, line + 2 + size);
    at = next;
  }
}

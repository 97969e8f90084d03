import { createInterface } from 'node:readline';
import type { Terminal } from './command.ts';

/** The process's own terminal. */
export function processTerminal(stopped: AbortSignal): Terminal {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    env: process.env,
    interactive,
    color: process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb',
    stopped,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    overwrite: process.stderr.isTTY === true ? (line) => void process.stderr.write(`\r\u001b[K${line}`) : null,
    secret: (question) => (interactive ? askHidden(question) : firstLine()),
  };
}

/** Asks without echo. */
function askHidden(question: string): Promise<string> {
  return new Promise((resolve) => {
    process.stderr.write(question);
    const { stdin } = process;
    let typed = '';
    const done = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off('data', take);
      process.stderr.write('\n');
      resolve(typed);
    };
    const take = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n') {
          done();
          return;
        }
        if (character === '\u0003') {
          process.stderr.write('\n');
          process.exit(130);
        }
        typed = character === '\u007f' ? typed.slice(0, -1) : typed + character;
      }
    };
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', take);
  });
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin, terminal: false })) return line;
  return '';
}

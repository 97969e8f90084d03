import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import { buildOptions } from './build.js';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

let server;
let ending = false;
let turn = Promise.resolve();

function start() {
  if (ending) return;
  const child = spawn(process.execPath, ['--enable-source-maps', program, 'serve', ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  child.once('exit', (code) => {
    if (server !== child) return;
    server = undefined;
    if (!ending) console.log(`The server ended with code ${code}; the next change starts it again.`);
  });
  server = child;
}

async function stop() {
  const child = server;
  if (!child) return;
  server = undefined;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  // A server that does not end by itself would keep the port.
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(patience);
}

const restart = {
  name: 'restart',
  setup(build) {
    build.onEnd(({ errors }) => {
      // A build that failed leaves the last good server running.
      if (errors.length > 0) return;
      turn = turn.then(stop).then(start);
    });
  },
};

const options = buildOptions();
const watcher = await context({ ...options, plugins: [...options.plugins, restart] });
await watcher.watch();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    ending = true;
    await turn.then(stop);
    await watcher.dispose();
  });
}

/*
 * The floor: nothing but argon2id, with the cost that Doorward uses, in a process of its own.
 * `node hash.js <jobs at once> <seconds>` prints {"perSecond", "cpuMs"}: hashes a second, and CPU of one hash.
 */
import { setTimeout as sleep } from 'node:timers/promises';
// Not a package of the bench: the same binary that Doorward loads.
import { hash } from '@node-rs/argon2';

const [jobs = 1, seconds = 1] = process.argv.slice(2).map(Number);
const password = Buffer.from('correct horse battery staple');
let over = false;
let hashes = 0;

async function work() {
  while (!over) {
    await hash(password, { algorithm: 2, version: 1, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 });
    hashes += 1;
  }
}

for (let warm = 0; warm < 5; warm++) await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const cpu = process.cpuUsage();
const began = performance.now();
const working = Array.from({ length: jobs }, work);
await sleep(seconds * 1000);
over = true;
await Promise.all(working);
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ perSecond: hashes / ((performance.now() - began) / 1000), cpuMs: (user + system) / 1000 / hashes }),
);

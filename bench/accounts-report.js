import { groups } from './report.js';
import { aligned, markdown } from './tables.js';

/** @typedef {import('./run.js').Results} Results */

export const heading = '## Sign-in and recovery';
const titles = /** @type {const} */ ({ 'sign-in': 'Sign-ins', recovery: 'Recoveries' });

/** For a terminal. @param {Results} results */
export function accountsSummary({ accounts }) {
  const parts = Object.entries(titles).flatMap(([journey, title]) =>
    groups(accounts[/** @type {keyof typeof titles} */ (journey)], title.toLowerCase()).map(
      ({ title: where, rows }) => `${title}, ${where}\n${aligned(rows)}`,
    ),
  );
  return ['', ...parts].join('\n\n');
}

/** A section of docs/benchmarks.md. @param {Results} results */
export function accountsSection({ date, command, machine, seconds, accounts }) {
  const tables = Object.entries(titles).flatMap(([journey, title]) =>
    groups(accounts[/** @type {keyof typeof titles} */ (journey)], title.toLowerCase()).map(
      ({ title: where, rows }) => `### ${title}, ${where}\n\n${markdown(rows)}`,
    ),
  );
  return `${heading}

Made on ${date.slice(0, 10)} by \`${command}\`, load average ${machine.loadAverage.toFixed(2)} at the start; ${seconds} s a cell, both servers in turns, on
equal terms as above. Each client is one person who has an account, each time in a browser without cookies. The last cookie of a cell must be a
session of theirs; after recoveries it comes of a sign-in with the newest password.

**A sign-in** is one request to better-auth, \`POST /api/auth/sign-in/email\`, which compares the password and makes a session. Doorward runs its shipped
flow: the GET that asks, the POST with the address, the POST with the password. Besides the session it writes the last sign-in, the counters against guessing
(off here, as better-auth's rate limit), the score of reputation and an event, asks whether the user has a second factor, and gives the
browser a sealed cookie by which the device is known.

**A recovery** is two requests to better-auth, \`POST /api/auth/request-password-reset\` and \`POST /api/auth/reset-password\`, between which the
token is taken from its \`sendResetPassword\` hook, which keeps it in memory. At Doorward it is the GET, the POST with the address, the POST with the code, which is taken
out of the sealed outbox with one query, and the POST with the new password; the message is written into the outbox, the owner is
told by another one, former passwords are kept, and who recovered is signed in, which better-auth leaves to a sign-in of its own. No message
leaves, in neither. Both fetch their secret by one more request, which is counted.

${tables.join('\n\n')}
`;
}

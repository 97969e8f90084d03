/* A mail server of its own process: taking mail slows down neither who asks nor who answers. It ends with its parent. */
import { openMailServer } from '../support/mail-server.ts';

process.once('disconnect', () => process.exit());
const { url } = await openMailServer();
process.send?.({ url });

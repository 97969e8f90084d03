import fc from 'fast-check';

/** The cases are the same in each run, so that none fails by luck; `npm run drill -- properties` looks elsewhere. */
fc.configureGlobal({ seed: Number(process.env.DOORWARD_PROPERTY_SEED ?? 20_250_101) });

export { fc };

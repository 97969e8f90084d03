import type { FieldProvenance } from '../../src/engine/provenance.ts';
import { type Brand, parseBrand } from '../../src/pages/brand.ts';
import type { AccountPageData } from '../../src/pages/page-data.ts';

export const brand: Brand = parseBrand({
  name: 'Lindenhof',
  links: [
    { name: 'Privacy', href: 'https://example.org/privacy' },
    { name: 'Imprint', href: 'https://example.org/imprint' },
    { name: 'Help', href: '/help' },
  ],
});

export const accountData: AccountPageData = {
  user: {
    username: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    emailVerifiedAt: null,
    passwordChangedAt: Date.UTC(2026, 4, 4, 8, 30),
    attributes: { settings: { locale: 'en' } },
  },
  provenance: {
    fields: new Map<string, FieldProvenance>([
      ['username', { origin: { kind: 'program', via: 'cli' }, at: Date.UTC(2026, 3, 1, 8), by: null }],
      [
        'name',
        { origin: { kind: 'prompt', flow: 'sign-up', stage: 'details' }, at: Date.UTC(2026, 4, 4, 8, 30), by: 'self' },
      ],
      [
        'password',
        { origin: { kind: 'prompt', flow: 'sign-up', stage: 'details' }, at: Date.UTC(2026, 4, 4, 8, 30), by: 'self' },
      ],
      [
        'attributes.company.e\\.mail',
        { origin: { kind: 'unattended', flow: 'import' }, at: Date.UTC(2026, 3, 2), by: null },
      ],
      [
        'attributes.goauthentik\\.io/user/sources',
        { origin: { kind: 'source', source: 'GitHub' }, at: Date.UTC(2026, 3, 2), by: 'self' },
      ],
      ['attributes.settings', { origin: { kind: 'source', source: 'GitHub' }, at: Date.UTC(2026, 3, 2), by: 'self' }],
    ]),
    flows: new Map([['sign-up', { $lang: { en: 'Create an account', de: 'Konto anlegen' } }]]),
  },
  authenticators: [
    {
      ...{ uuid: '0c8b3a4b-1d11-4c6c-9d8a-6f5b2f0e2c0f', kind: 'webauthn', name: 'Laptop in the study', codesLeft: 0 },
      ...{ createdAt: Date.UTC(2026, 3, 1, 8), lastUsedAt: Date.UTC(2026, 4, 4, 9) },
    },
    {
      ...{ uuid: '1d11b3a4-0c8b-4c6c-9d8a-6f5b2f0e2c0f', kind: 'totp', name: 'Authenticator app', codesLeft: 0 },
      ...{ createdAt: Date.UTC(2026, 3, 1, 8), lastUsedAt: null },
    },
    {
      ...{ uuid: '2e22b3a4-0c8b-4c6c-9d8a-6f5b2f0e2c0f', kind: 'static', name: 'Recovery codes', codesLeft: 4 },
      ...{ createdAt: Date.UTC(2026, 3, 1, 8), lastUsedAt: Date.UTC(2026, 4, 4, 9) },
    },
  ],
  confirm: 'default-email-verification',
  connections: [
    {
      ...{ uuid: '6f1b3a4b-1d11-4c6c-9d8a-6f5b2f0e2c0f', source: 'GitHub', identifier: '583231' },
      createdAt: Date.UTC(2026, 3, 2),
    },
  ],
  consents: [
    {
      ...{ uuid: '7a1b3a4b-1d11-4c6c-9d8a-6f5b2f0e2c0f', name: 'Shared Notes', wording: '' },
      permissions: [
        { id: 'email', name: 'See your email address' },
        { id: 'files', name: 'Read and change the notes that you share' },
      ],
      ...{ givenAt: Date.UTC(2026, 4, 1, 10), expiresAt: Date.UTC(2026, 4, 29, 10) },
    },
    {
      ...{ uuid: '8b1b3a4b-1d11-4c6c-9d8a-6f5b2f0e2c0f', permissions: [], givenAt: Date.UTC(2026, 4, 1, 9) },
      name: { $lang: { en: 'Create an account', de: 'Konto anlegen' } },
      wording: 'I have read the terms of use of 1 May 2026, and agree to them.',
      expiresAt: null,
    },
  ],
  approvals: { waiting: 2 },
  leave: 'default-unenrollment-flow',
  addable: [
    { href: '/flows/-/configure/1/', kind: 'authenticator_totp', title: null },
    { href: '/flows/-/configure/2/', kind: 'authenticator_static', title: null },
    { href: '/flows/-/configure/3/', kind: 'authenticator_webauthn', title: null },
    { href: '/flows/-/configure/4/', kind: 'authenticator_totp', title: 'Hardware token of the company' },
  ],
  sessions: [
    {
      uuid: '7b0e8c3e-51bb-4a7e-9d42-5f2f6c1f7b10',
      current: false,
      device:
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      address: '2001:db8:85a3:1234:5678:8a2e:370:7334',
      place: 'Vienna, Austria',
      lastUsedAt: Date.UTC(2026, 4, 3, 19, 5),
      createdAt: Date.UTC(2026, 3, 1),
    },
    {
      uuid: 'c8f0e2a4-3f3c-4a55-8f0a-0f6f7f1f2d33',
      current: true,
      device: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
      address: '198.51.100.7',
      place: 'Munich, Germany',
      lastUsedAt: Date.UTC(2026, 4, 4, 9, 0),
      createdAt: Date.UTC(2026, 4, 1),
    },
    {
      uuid: 'd0a4fae6-0f5a-4b10-9d17-7a3d6a7a9e21',
      current: false,
      device: 'curl/8.11.0',
      address: '203.0.113.20',
      place: null,
      lastUsedAt: Date.UTC(2026, 2, 9, 7, 42),
      createdAt: Date.UTC(2026, 2, 9),
    },
  ],
  brand,
  locale: 'en',
  csrf: 'csrf-token',
  notice: null,
};

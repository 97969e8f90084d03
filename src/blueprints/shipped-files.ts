import { createHash } from 'node:crypto';
import type { Definition } from '../engine/definition.ts';
import authentication from './flows/default-authentication-flow.yaml';
import authenticatorProof from './flows/default-authenticator-proof.yaml';
import staticSetup from './flows/default-authenticator-static-setup.yaml';
import totpSetup from './flows/default-authenticator-totp-setup.yaml';
import webauthnSetup from './flows/default-authenticator-webauthn-setup.yaml';
import emailVerification from './flows/default-email-verification.yaml';
import enrollment from './flows/default-enrollment-flow.yaml';
import invalidation from './flows/default-invalidation-flow.yaml';
import passwordChange from './flows/default-password-change.yaml';
import recovery from './flows/default-recovery-flow.yaml';
import recoveryLink from './flows/default-recovery-link.yaml';
import unenrollment from './flows/default-unenrollment-flow.yaml';
import userSettings from './flows/default-user-settings-flow.yaml';
import initialSetup from './flows/initial-setup.yaml';
import { flowModel, shippedModel } from './models.ts';

/** A blueprint that comes with the product. */
export interface ShippedFile {
  /** The slug of its flow, and its file's name. */
  readonly name: string;
  /** What a metaapplyblueprint entry calls it, by name or by path: the reference's words, for files written for it. */
  readonly title: string;
  readonly path: string;
  readonly text: string;
}

/** In the order in which they are applied: who refers to another comes after it. */
export const shippedFiles: readonly ShippedFile[] = [
  {
    name: 'default-password-change',
    title: 'Default - Password change flow',
    path: 'default/flow-password-change.yaml',
    text: passwordChange,
  },
  {
    name: 'default-enrollment-flow',
    title: 'Default - Enrollment flow',
    path: 'default/flow-default-enrollment-flow.yaml',
    text: enrollment,
  },
  {
    name: 'default-recovery-flow',
    title: 'Default - Recovery flow',
    path: 'default/flow-recovery-email-verification.yaml',
    text: recovery,
  },
  {
    name: 'default-authentication-flow',
    title: 'Default - Authentication flow',
    path: 'default/flow-default-authentication-flow.yaml',
    text: authentication,
  },
  {
    name: 'default-invalidation-flow',
    title: 'Default - Invalidation flow',
    path: 'default/flow-default-invalidation-flow.yaml',
    text: invalidation,
  },
  {
    name: 'default-user-settings-flow',
    title: 'Default - User settings flow',
    path: 'default/flow-default-user-settings-flow.yaml',
    text: userSettings,
  },
  {
    name: 'default-email-verification',
    title: 'Default - Email verification flow',
    path: 'default/flow-default-email-verification.yaml',
    text: emailVerification,
  },
  {
    name: 'default-authenticator-totp-setup',
    title: 'Default - TOTP MFA setup flow',
    path: 'default/flow-default-authenticator-totp-setup.yaml',
    text: totpSetup,
  },
  {
    name: 'default-authenticator-static-setup',
    title: 'Default - Static MFA setup flow',
    path: 'default/flow-default-authenticator-static-setup.yaml',
    text: staticSetup,
  },
  {
    name: 'default-authenticator-webauthn-setup',
    title: 'Default - WebAuthn MFA setup flow',
    path: 'default/flow-default-authenticator-webauthn-setup.yaml',
    text: webauthnSetup,
  },
  {
    name: 'default-authenticator-proof',
    title: 'Default - Authenticator proof flow',
    path: 'default/flow-default-authenticator-proof.yaml',
    text: authenticatorProof,
  },
  {
    name: 'default-unenrollment-flow',
    title: 'Default - Unenrollment flow',
    path: 'default/flow-default-unenrollment-flow.yaml',
    text: unenrollment,
  },
  {
    name: 'default-recovery-link',
    title: 'Default - Recovery link flow',
    path: 'default/flow-default-recovery-link.yaml',
    text: recoveryLink,
  },
  {
    name: 'initial-setup',
    title: 'Default - Out-of-box-experience flow',
    path: 'default/flow-oobe.yaml',
    text: initialSetup,
  },
];

/** Tells one edition of a shipped file from another. */
export function shippedHash({ text }: ShippedFile): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** What was recorded of a file when it was applied. */
export function recordOf(file: ShippedFile, definitions: readonly Definition[]): Definition | null {
  return definitions.find(({ model, attrs }) => model === shippedModel && attrs.name === file.name) ?? null;
}

/** Whether a file was applied before, or a flow of its slug stands there anyway. */
export function isPresent(file: ShippedFile, definitions: readonly Definition[]): boolean {
  const hasFlow = definitions.some(({ model, attrs }) => model === flowModel && attrs.slug === file.name);
  return hasFlow || recordOf(file, definitions) !== null;
}

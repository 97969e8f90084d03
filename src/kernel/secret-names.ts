const secretName = /api|auth|token|key|secret|pass|signature/i;

/** Whether a member's name tells of a secret, so that events and logs mask its value (W35). */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

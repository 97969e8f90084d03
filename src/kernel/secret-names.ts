const secretName = /api|auth|token|key|secret|pass|signature/i;
const plainName = /^(passing|password_change_date)$/i;

/** Whether a member's name tells of a secret, so that events and logs mask its value (W35, UW-50). */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !plainName.test(name);
}

const secretName = /api|auth|token|key|secret|pass|signature/i;
const plainName = /^(passing|password_change_date)$/i;

/** Whether a member's name tells of a secret, so that events and logs mask its value (W35, UW-50). */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !plainName.test(name);
}

const secretSetting =
  /(?:^|_)(?:password|passwd|secret|private_key|secret_key|api_key|key_data|client_secret|token|passphrase|credentials?)$/;

/**
 * Whether a setting holds a secret, so that it is kept sealed, never shown and never exported: by its name, or since a
 * password field begins with it. `allow_show_password: true` tells nothing.
 *
 * @param settings what it is a member of
 */
export function isSecretSetting(settings: Readonly<Record<string, unknown>>, name: string): boolean {
  if (typeof settings[name] === 'boolean') return false;
  if (name === 'initial_value' && settings.type === 'password') return true;
  return secretSetting.test(name.toLowerCase());
}

import type { BlueprintSource } from '../../src/app/options.ts';

/** A stage of a test's flow: its model's short name, its configuration, and how it is bound. */
export interface StagePart {
  /** `prompt`, `user_write`, `dummy` … */
  readonly kind: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** Attributes of the stage binding. */
  readonly binding?: Readonly<Record<string, unknown>>;
  /** Policy bindings on it: a group's name, or attributes. */
  readonly policies?: readonly Readonly<Record<string, unknown>>[];
  /** For prompts: the fields. */
  readonly fields?: readonly Readonly<Record<string, unknown>>[];
}

export interface FlowPart {
  readonly slug: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly stages: readonly StagePart[];
  readonly policies?: readonly Readonly<Record<string, unknown>>[];
}

const models: Readonly<Record<string, string>> = {
  prompt: 'authentik_stages_prompt.promptstage',
  user_write: 'authentik_stages_user_write.userwritestage',
  user_login: 'authentik_stages_user_login.userloginstage',
  user_logout: 'authentik_stages_user_logout.userlogoutstage',
  identification: 'authentik_stages_identification.identificationstage',
  password: 'authentik_stages_password.passwordstage',
  authenticator_validate: 'authentik_stages_authenticator_validate.authenticatorvalidatestage',
  authenticator_totp: 'authentik_stages_authenticator_totp.authenticatortotpstage',
  authenticator_static: 'authentik_stages_authenticator_static.authenticatorstaticstage',
  authenticator_webauthn: 'authentik_stages_authenticator_webauthn.authenticatorwebauthnstage',
  authenticator_email: 'authentik_stages_authenticator_email.authenticatoremailstage',
  approval: 'doorward_stages_approval.approvalstage',
  email: 'authentik_stages_email.emailstage',
  captcha: 'authentik_stages_captcha.captchastage',
  consent: 'authentik_stages_consent.consentstage',
  user_delete: 'authentik_stages_user_delete.userdeletestage',
  dummy: 'authentik_stages_dummy.dummystage',
  deny: 'authentik_stages_deny.denystage',
  redirect: 'authentik_stages_redirect.redirectstage',
};

/** A flow as a blueprint: JSON is YAML, and a text of the form `!KeyOf x` or `!Find [..]` becomes the tag. */
export function flowYaml({ slug, attrs = {}, stages, policies = [] }: FlowPart): BlueprintSource {
  const entries: object[] = [
    {
      model: 'authentik_flows.flow',
      id: 'flow',
      identifiers: { slug },
      attrs: { name: slug, title: slug, designation: 'enrollment', ...attrs },
    },
  ];
  policies.forEach((policy, order) => {
    entries.push(policyEntry('flow', order, policy));
  });
  stages.forEach((stage, index) => {
    entries.push(...stageEntries(slug, stage, index));
  });
  const lines = entries.map((entry) => `  - ${JSON.stringify(entry)}`).join('\n');
  const text = `version: 1\nentries:\n${lines}\n`.replace(/"(!(?:KeyOf [\w-]+|Find \[[^"]*\]))"/g, '$1');
  return { name: `${slug}.yaml`, text };
}

function stageEntries(slug: string, stage: StagePart, index: number): object[] {
  const { kind, attrs = {}, binding = {}, fields = [], policies = [] } = stage;
  const name = `${slug}-${index}-${kind}`;
  const fieldIds = fields.map((_, at) => `field-${index}-${at}`);
  const fieldEntries = fields.map((field, at) => ({
    model: 'authentik_stages_prompt.prompt',
    id: fieldIds[at],
    identifiers: { name: `${name}-${String(field.field_key)}-${at}` },
    attrs: { label: String(field.field_key), type: 'text', order: at, ...field },
  }));
  return [
    ...fieldEntries,
    {
      model: models[kind] ?? kind,
      id: `stage-${index}`,
      identifiers: { name },
      attrs: { ...(fields.length === 0 ? {} : { fields: fieldIds.map((id) => `!KeyOf ${id}`) }), ...attrs },
    },
    {
      model: 'authentik_flows.flowstagebinding',
      id: `binding-${index}`,
      identifiers: { target: '!KeyOf flow', stage: `!KeyOf stage-${index}`, order: index },
      attrs: binding,
    },
    ...policies.map((policy, order) => policyEntry(`binding-${index}`, order, policy)),
  ];
}

function policyEntry(target: string, order: number, policy: Readonly<Record<string, unknown>>): object {
  return {
    model: 'authentik_policies.policybinding',
    identifiers: { target: `!KeyOf ${target}`, order },
    attrs: policy,
  };
}

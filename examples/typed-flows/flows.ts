import {
  createDoorward,
  type DoorwardOptions,
  defineFlow,
  field,
  identification,
  inGroup,
  not,
  password,
  prompt,
  userLogin,
  userWrite,
} from 'doorward';

const details = prompt({
  fields: {
    username: field.username(),
    email: field.email(),
    'attributes.company': field.text({ label: { en: 'Company', de: 'Firma' }, required: false }),
    'attributes.team.size': field.dropdown({ choices: ['1-10', '11-100', 'more'] }),
    password: field.password(),
    password_repeat: field.passwordRepeat(),
  },
  validate: ({ email }) => ({
    passing: !email.endsWith('@example.invalid'),
    messages: ['This address cannot receive mail.'],
  }),
});

const enterprise = prompt({
  fields: { 'attributes.team.budget': field.number({ label: 'Yearly budget', required: false }) },
  when: (request) => request.answersTo(details)['attributes.team.size'] === 'more',
});

export const signUp = defineFlow({
  slug: 'sign-up',
  title: { en: 'Create your account', de: 'Konto anlegen' },
  designation: 'enrollment',
  authentication: 'require_unauthenticated',
  stages: [details, enterprise, userWrite({ createUsersGroup: 'customers' }), userLogin()],
});

export const signIn = defineFlow({
  slug: 'sign-in',
  title: 'Welcome back',
  designation: 'authentication',
  stages: [
    identification({ password: password(), enrollmentFlow: signUp }),
    userLogin({ sessionDuration: 'days=30', when: not(inGroup('suspended')) }),
  ],
});

export async function open(options: Omit<DoorwardOptions, 'flows'>) {
  const auth = await createDoorward({ ...options, flows: [signUp, signIn] });
  return {
    auth,
    async greeting(request: Request): Promise<string> {
      const signedIn = await auth.session(request);
      if (signedIn === null) return 'Hello, stranger';
      const company: string | undefined = signedIn.user.attributes.company;
      return `Hello, ${signedIn.user.username}${company ? ` of ${company}` : ''}`;
    },
  };
}

/** Approvals: the applicant's wait, the page on which somebody in charge decides, their list, and the way back. */
import type { Approval, ApprovalFile } from '../app/approvals.ts';
import type { ApprovalChallenge } from '../protocol/challenge.ts';
import { deviceText } from '../protocol/device.ts';
import type { Locale } from '../protocol/localize.ts';
import type { Text } from '../protocol/text.ts';
import type { MessageKey } from '../protocol/texts/en.ts';
import type { Brand } from './brand.ts';
import { FlowForm } from './flow-form.tsx';
import { formView } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { Section } from './section.tsx';
import { page, Shell } from './shell.tsx';
import { Time } from './time.tsx';
import { type Words, wordsIn } from './words.ts';

interface Setting {
  readonly brand: Brand;
  readonly locale: Locale;
}

/** Nothing to do but to wait. It goes on by itself once it was decided. */
export function ApprovalWait({ data, challenge }: ChallengeProps<ApprovalChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  return (
    <div data-waits>
      <p class="lead" role="status">
        {words.of('approval.wait')}
      </p>
      <p>
        {words.of('approval.wait_until')} <Time at={Date.parse(challenge.deadline)} words={words} />.
      </p>
      <p class="hint">{words.of('approval.wait_hint')}</p>
      <FlowForm view={view} submit={words.of('approval.look_again')} />
    </div>
  );
}

/** `/if/approvals/`, with the titles of flows by their slugs. */
export function approvalsPage(
  { brand, locale }: Setting,
  approvals: readonly Approval[],
  titles: ReadonlyMap<string, Text>,
): string {
  const words = wordsIn(locale);
  const nav = (
    <nav aria-label={words.of('account.title')}>
      <a href="/if/user/">{words.of('account.title')}</a>
    </nav>
  );
  return page(
    <Shell words={words} brand={brand} title={words.of('approval.list_title')} nav={nav} wide>
      <h1>{words.of('approval.list_title')}</h1>
      <p class="lead">{words.of(approvals.length === 0 ? 'approval.list_empty' : 'approval.list_lead')}</p>
      {approvals.length === 0 ? null : (
        <ul class="links">
          {approvals.map((approval) => (
            <li>
              <a href={`/if/approvals/${encodeURIComponent(approval.uuid)}/`}>{nameOf(approval, words)}</a>
              <p class="hint">
                {words.say(titles.get(approval.flow) ?? approval.flow)} · {words.of('approval.until')}{' '}
                <Time at={approval.deadlineAt} words={words} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Shell>,
  );
}

/** What they are called by themselves, else what everybody is. */
function nameOf({ asked }: Approval, words: Words): string {
  const fact = ['username', 'name', 'email'].flatMap((wanted) => asked.facts.filter(([name]) => name === wanted))[0];
  return fact?.[1] ?? words.of('approval.title');
}

interface Shown {
  readonly file: ApprovalFile;
  /** What whoever looks at it said. */
  readonly own: 'approve' | 'deny' | null;
  readonly isLate: boolean;
  readonly csrf: string;
  readonly action: string;
  /** It was to be denied without a reason. */
  readonly isMissing: boolean;
  readonly byLink: boolean;
}

/** `/if/approvals/<uuid>/`; null for what is not there, or not theirs. */
export function approvalPage({ brand, locale }: Setting, shown: Shown | null): string {
  const words = wordsIn(locale);
  const title = words.of('approval.title');
  const nav = (
    <nav aria-label={words.of('approval.list_title')}>
      <a href="/if/approvals/">{words.of('approval.all')}</a>
    </nav>
  );
  return page(
    <Shell words={words} brand={brand} title={title} nav={shown?.byLink === false ? nav : null} wide>
      <h1>{title}</h1>
      {shown === null ? <p class="lead">{words.of('approval.link_gone')}</p> : <Request shown={shown} words={words} />}
    </Shell>,
  );
}

interface Props {
  readonly shown: Shown;
  readonly words: Words;
}

function Request({ shown, words }: Props) {
  const { approval, words: said } = shown.file;
  const { asked, required, createdAt, deadlineAt } = approval;
  const approvals = said.filter(({ verdict }) => verdict === 'approve').length;
  const over = stateOf(shown);
  return (
    <>
      {over === null ? null : (
        <p class="notice" role="status">
          {words.of(over)}
        </p>
      )}
      <p class="lead">{asked.message === '' ? words.of('approval.default_message') : asked.message}</p>
      <Section id="facts" title={words.of('approval.facts')}>
        <Facts of={asked.facts} words={words} />
      </Section>
      <Section id="asked" title={words.of('approval.asked')}>
        <dl>
          <dt>{words.of('page.asked_device')}</dt>
          <dd>{words.say(deviceText(asked.agent))}</dd>
          <dt>{words.of('page.asked_place')}</dt>
          <dd>{asked.address}</dd>
          <dt>{words.of('page.asked_time')}</dt>
          <dd>
            <Time at={createdAt} words={words} />
          </dd>
          <dt>{words.of('approval.until')}</dt>
          <dd>
            <Time at={deadlineAt} words={words} />
          </dd>
        </dl>
      </Section>
      {required === 1 ? null : <p class="hint">{words.of('approval.said', { approvals, required })}</p>}
      {over === null ? <Decide shown={shown} words={words} /> : null}
    </>
  );
}

/** What is to be said in place of a question; null where it is open. */
function stateOf({ file, own, isLate }: Shown): MessageKey | null {
  const { status } = file.approval;
  if (own !== null) return own === 'approve' ? 'approval.done_approved' : 'approval.done_denied';
  if (status === 'approved' || status === 'denied') return `approval.is_${status}`;
  if (status === 'void') return 'approval.is_gone';
  return isLate ? 'approval.is_late' : null;
}

function Facts({ of, words }: { readonly of: Approval['asked']['facts']; readonly words: Words }) {
  if (of.length === 0) return <p class="hint">{words.of('approval.no_facts')}</p>;
  return (
    <dl>
      {of.map(([key, value, label]) => (
        <>
          <dt>{label === undefined ? key : words.say(label)}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

function Decide({ shown, words }: Props) {
  const { action, csrf, isMissing } = shown;
  const described = isMissing ? 'reason-problem reason-hint' : 'reason-hint';
  return (
    <form method="post" action={action}>
      {csrf === '' ? null : <input type="hidden" name="step" value={csrf} />}
      <div class="field">
        <label for="reason">{words.of('approval.reason')}</label>
        <textarea
          id="reason"
          name="reason"
          rows={3}
          maxlength={1000}
          aria-describedby={described}
          {...(isMissing ? { 'aria-invalid': 'true', autofocus: true } : {})}
        />
        {isMissing ? (
          <p class="problem" id="reason-problem">
            {words.of('approval.reason_missing')}
          </p>
        ) : null}
        <p class="hint" id="reason-hint">
          {words.of('approval.reason_hint')}
        </p>
      </div>
      <div class="buttons">
        <button type="submit" class="primary" name="verdict" value="approve" data-busy={words.of('page.busy')}>
          {words.of('approval.approve')}
        </button>
        <button type="submit" class="secondary" name="verdict" value="deny">
          {words.of('approval.deny')}
        </button>
      </div>
    </form>
  );
}

const wayBackTexts = {
  open: 'approval.way_back',
  gone: 'approval.link_gone',
  sign_in: 'approval.way_back_sign_in',
  sign_out: 'approval.way_back_signed_in',
} as const;

/** `/if/approvals/<uuid>/return/` */
export function wayBackPage(
  { brand, locale }: Setting,
  {
    state,
    action,
    csrf,
  }: { readonly state: keyof typeof wayBackTexts; readonly action: string; readonly csrf: string },
): string {
  const words = wordsIn(locale);
  return page(
    <Shell words={words} brand={brand} title={words.of('approval.way_back_title')}>
      <h1>{words.of('approval.way_back_title')}</h1>
      <p class="lead">{words.of(wayBackTexts[state])}</p>
      {state !== 'open' ? null : (
        <form method="post" action={action}>
          {csrf === '' ? null : <input type="hidden" name="step" value={csrf} />}
          <button type="submit" class="primary" data-busy={words.of('page.busy')}>
            {words.of('page.continue')}
          </button>
        </form>
      )}
    </Shell>,
  );
}
